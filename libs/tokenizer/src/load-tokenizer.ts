import { existsSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { readRegularFile } from '#pipeline/regular-file.js';
import { schemaProblem } from '#pipeline/schema-problem.js';

import { tokenizerJsonOfMerges } from './merges-file.js';
import { checkTokenizerJson, parseTokenizerJson } from './parse-tokenizer-json.js';
import { TokenizerFileError, messageOf } from './tokenizer-errors.js';
import { isVocabulary } from './tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';
import type { VocabOptions } from './vocab-file.js';

const configSchema = z.looseObject({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  split_special_tokens: z.boolean().optional(),
  add_prefix_space: z.boolean().optional(),
});

/**
 * Reads the tokenizer of a checkpoint or bundle directory: `tokenizer.json`, or else `vocab.txt`, or else `vocab.json`
 * with `merges.txt`; of the last two an optional `tokenizer_config.json` says more.
 *
 * @throws TokenizerFileError
 */
export async function loadTokenizerJson(directory: string): Promise<TokenizerJson> {
  const jsonFile = path.join(directory, 'tokenizer.json');
  const json = await readIfThere(jsonFile);
  if (json !== undefined) return parseTokenizerJson(json, jsonFile);

  const vocabFile = path.join(directory, 'vocab.txt');
  const vocab = await readIfThere(vocabFile);
  if (vocab !== undefined) return ofVocab(vocab, vocabFile, await readConfig(directory));

  const vocabJsonFile = path.join(directory, 'vocab.json');
  const vocabJson = await readIfThere(vocabJsonFile);
  const merges = await readIfThere(path.join(directory, 'merges.txt'));
  if (vocabJson !== undefined && merges !== undefined) {
    return ofMerges(vocabJson, vocabJsonFile, merges, await readConfig(directory));
  }
  throw new TokenizerFileError(directory, await whyNone(directory));
}

/**
 * The tokenizer of a vocabulary, one token a line.
 * @throws TokenizerFileError
 */
export async function readVocabFile(vocabFile: string, options: VocabOptions): Promise<TokenizerJson> {
  const vocab = await readIfThere(vocabFile);
  if (vocab === undefined) throw new TokenizerFileError(vocabFile, 'is missing');
  return checkTokenizerJson(tokenizerJsonOfVocab(vocab, options), vocabFile);
}

const SENTENCE_PIECE_FILES = ['sentencepiece.bpe.model', 'spiece.model', 'spm.model', 'tokenizer.model'];

async function whyNone(directory: string): Promise<string> {
  for (const name of SENTENCE_PIECE_FILES) {
    if (!existsSync(path.join(directory, name))) continue;
    return (
      `${name} cannot be read, only the tokenizer.json that is made of it; to write one here, run in Python: ` +
      'AutoTokenizer.from_pretrained(dir).save_pretrained(dir) of transformers'
    );
  }
  return 'expected tokenizer.json, vocab.txt, or vocab.json with merges.txt here; found none of them';
}

type Config = z.infer<typeof configSchema>;

async function readConfig(directory: string): Promise<Config> {
  const configFile = path.join(directory, 'tokenizer_config.json');
  return parseConfig((await readIfThere(configFile)) ?? '{}', configFile);
}

function ofVocab(vocab: string, vocabFile: string, config: Config): TokenizerJson {
  const built = tokenizerJsonOfVocab(vocab, {
    lowercase: config.do_lower_case,
    stripAccents: config.strip_accents,
    isolateIdeographs: config.tokenize_chinese_chars,
    splitSpecialTokens: config.split_special_tokens,
  });
  return checkTokenizerJson(built, vocabFile);
}

function ofMerges(vocabJson: string, vocabFile: string, merges: string, config: Config): TokenizerJson {
  let vocab: unknown;
  try {
    vocab = JSON.parse(vocabJson);
  } catch (error) {
    throw new TokenizerFileError(vocabFile, `expected JSON: ${messageOf(error)}`);
  }
  if (!isVocabulary(vocab)) {
    throw new TokenizerFileError(
      vocabFile,
      'expected an object of tokens and their ids, whole numbers from 0',
    );
  }
  return checkTokenizerJson(
    tokenizerJsonOfMerges(vocab, merges, { addPrefixSpace: config.add_prefix_space }),
    vocabFile,
  );
}

function parseConfig(content: string, file: string): Config {
  try {
    return configSchema.parse(JSON.parse(content));
  } catch (error) {
    const problem = error instanceof z.ZodError ? schemaProblem(error) : messageOf(error);
    throw new TokenizerFileError(file, problem);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readRegularFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new TokenizerFileError(file, `cannot be read: ${messageOf(error)}`);
  }
}
