import { KNOWN_PATTERNS } from './known-patterns.js';
import { framingOf } from './special-tokens.js';
import { TokenizerFileError, messageOf } from './tokenizer-errors.js';
import { idOfToken, tokenizerJsonSchema } from './tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';

/**
 * Checks the content of a tokenizer.json.
 *
 * @param file names the file in errors
 * @throws TokenizerFileError
 */
export function parseTokenizerJson(content: string, file: string): TokenizerJson {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new TokenizerFileError(file, `expected JSON: ${messageOf(error)}`);
  }
  return checkTokenizerJson(value, file);
}

/** Checks what a tokenizer.json would hold. @throws TokenizerFileError */
export function checkTokenizerJson(value: unknown, file: string): TokenizerJson {
  const parsed = tokenizerJsonSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TokenizerFileError(file, `at ${issue!.path.join('.') || 'top level'}: ${issue!.message}`);
  }
  const json = parsed.data;
  const problem = problemOf(json);
  if (problem !== undefined) throw new TokenizerFileError(file, problem);
  return json;
}

function problemOf(json: TokenizerJson): string | undefined {
  const wordOnly = json.added_tokens.find((token) => token.single_word);
  if (wordOnly !== undefined) {
    return `added token ${JSON.stringify(wordOnly.content)} has single_word, which is not supported`;
  }
  const expression = [...expressionsOf(json.normalizer), ...expressionsOf(json.pre_tokenizer)].find(
    (found) => !KNOWN_PATTERNS.has(found),
  );
  if (expression !== undefined) {
    return `it splits or replaces by a regular expression, ${JSON.stringify(expression)}, which is not supported: some take for ever on some texts`;
  }
  const { model } = json;
  if (model.type === 'Unigram') {
    if (model.unk_id >= model.vocab.length) {
      return `its unk_id is ${model.unk_id}, but the vocabulary has ${model.vocab.length} pieces`;
    }
  } else if (model.unk_token !== null && idOfToken(json, model.unk_token) === undefined) {
    return `the vocabulary has no ${model.unk_token}, which is to stand for unknown words`;
  }
  return framingOf(json).problem;
}

/** The regular expressions of a part, and of those inside of it. */
function expressionsOf(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  if ('Regex' in part) return [String(part.Regex)];
  return Object.values(part).flatMap(expressionsOf);
}
