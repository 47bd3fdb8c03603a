import path from 'node:path';

import { z } from 'zod';

import { readRegularFile } from '#pipeline/regular-file.js';

import { TokenizerFileError, messageOf } from './tokenizer-errors.js';
import { parseTokenizerJson } from './parse-tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const configSchema = z.looseObject({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  split_special_tokens: z.boolean().optional(),
});

/**
 * Reads the tokenizer of a checkpoint or bundle directory: `tokenizer.json`, or else `vocab.txt` with an optional
 * `tokenizer_config.json`.
 *
 * @throws TokenizerFileError
 */
export async function loadTokenizerJson(directory: string): Promise<TokenizerJson> {
  const jsonFile = path.join(directory, 'tokenizer.json');
  const json = await readIfThere(jsonFile);
  if (json !== undefined) return parseTokenizerJson(json, jsonFile);

  const vocabFile = path.join(directory, 'vocab.txt');
  const vocab = await readIfThere(vocabFile);
  if (vocab === undefined) {
    throw new TokenizerFileError(directory, 'expected tokenizer.json or vocab.txt here; found neither');
  }
  const configFile = path.join(directory, 'tokenizer_config.json');
  const config = parseConfig((await readIfThere(configFile)) ?? '{}', configFile);
  const built = tokenizerJsonOfVocab(vocab, {
    lowercase: config.do_lower_case,
    stripAccents: config.strip_accents,
    isolateIdeographs: config.tokenize_chinese_chars,
    splitSpecialTokens: config.split_special_tokens,
  });
  return parseTokenizerJson(JSON.stringify(built), vocabFile);
}

function parseConfig(content: string, file: string): z.infer<typeof configSchema> {
  try {
    return configSchema.parse(JSON.parse(content));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
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
