import { z } from 'zod';

import { Charsmap } from './charsmap.js';
import { KNOWN_PATTERNS } from './known-patterns.js';
import { IS_SPACE, lowerCase, unicodeClasses } from './unicode-classes.js';

export type Normalize = (text: string) => string;

/** The normalisers that BPE and Unigram tokenizers come with. */
const normalizer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Sequence'), normalizers: z.array(z.unknown()) }),
  z.object({ type: z.literal('Precompiled'), precompiled_charsmap: z.string() }),
  z.object({
    type: z.literal('Replace'),
    pattern: z.union([z.object({ String: z.string().min(1) }), z.object({ Regex: z.string() })]),
    content: z.string(),
  }),
  z.object({ type: z.literal('Prepend'), prepend: z.string() }),
  z.object({ type: z.literal('Strip'), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.object({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD']) }),
  z.object({ type: z.literal('Lowercase') }),
]);

/**
 * The normaliser of a tokenizer.json as a function; undefined where a part of it is none of those above.
 * @throws Error for a damaged charsmap
 */
export function normalizerOf(part: unknown): Normalize | undefined {
  if (part === null) return (text) => text;
  const parsed = normalizer.safeParse(part);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  switch (data.type) {
    case 'Sequence':
      return inSequence(data.normalizers.map(normalizerOf));
    case 'Precompiled': {
      const charsmap = new Charsmap(data.precompiled_charsmap);
      return (text) => charsmap.normalize(text);
    }
    case 'Replace': {
      const pattern = 'String' in data.pattern ? data.pattern.String : KNOWN_PATTERNS.get(data.pattern.Regex);
      return pattern === undefined ? undefined : (text) => text.replaceAll(pattern, () => data.content);
    }
    case 'Prepend':
      return (text) => (text === '' ? '' : data.prepend + text);
    case 'Strip':
      return (text) => strip(text, data.strip_left, data.strip_right);
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(data.type);
    case 'Lowercase':
      return (text) => Array.from(text, lower).join('');
    default:
      return data satisfies never;
  }
}

function inSequence(steps: readonly (Normalize | undefined)[]): Normalize | undefined {
  const known = steps.filter((step) => step !== undefined);
  if (known.length < steps.length) return undefined;
  return (text) => known.reduce((result, step) => step(result), text);
}

function strip(text: string, left: boolean, right: boolean): string {
  let [start, end] = [0, text.length];
  if (left) while (start < end && isSpace(text, start)) start += 1;
  if (right) while (end > start && isSpace(text, end - 1)) end -= 1;
  return text.slice(start, end);
}

function isSpace(text: string, at: number): boolean {
  return (unicodeClasses[text.charCodeAt(at)]! & IS_SPACE) !== 0;
}

/** Character by character: no final sigma. */
function lower(character: string): string {
  return lowerCase.get(character.codePointAt(0)!) ?? character;
}
