import { z } from 'zod';

import { byteLevelWords } from './byte-level.js';
import { IS_SPACE, unicodeClasses } from './unicode-classes.js';

/** Cuts normalised text into words. */
export interface PreTokenizer {
  /** @param isStart whether the text starts where the raw text starts */
  words(text: string, isStart: boolean): Iterable<string>;
  /** Whether the vocabulary spells words in bytes. */
  readonly byteLevel: boolean;
}

const metaspace = z.object({
  type: z.literal('Metaspace'),
  replacement: z.string().regex(/^.$/u).default('▁'),
  add_prefix_space: z.boolean().default(true),
  prepend_scheme: z.enum(['first', 'always', 'never']).optional(),
  split: z.boolean().default(true),
});
const byteLevel = z.object({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});
const preTokenizer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Sequence'), pretokenizers: z.array(z.unknown()) }),
  z.object({ type: z.literal('WhitespaceSplit') }),
  metaspace,
  byteLevel,
]);

/** The pre-tokeniser of a tokenizer.json; undefined where it is none of the above, or they are put together otherwise. */
export function preTokenizerOf(part: unknown): PreTokenizer | undefined {
  if (part === null) return { words: (text) => [text], byteLevel: false };
  const parsed = preTokenizer.safeParse(part);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  switch (data.type) {
    case 'Sequence':
      return inSequence(data.pretokenizers.map(preTokenizerOf));
    case 'WhitespaceSplit':
      return { words: whitespaceWords, byteLevel: false };
    case 'Metaspace':
      return { words: metaspaceWords(data), byteLevel: false };
    case 'ByteLevel':
      return {
        words(text) {
          const prefixed = data.add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
          return data.use_regex ? byteLevelWords(prefixed) : [prefixed];
        },
        byteLevel: true,
      };
    default:
      return data satisfies never;
  }
}

function inSequence(steps: readonly (PreTokenizer | undefined)[]): PreTokenizer | undefined {
  const known = steps.filter((step) => step !== undefined);
  // What follows ByteLevel would see its alphabet, not the text.
  if (known.length < steps.length || known.slice(0, -1).some((step) => step.byteLevel)) return undefined;
  return {
    words: (text, isStart) =>
      known.reduce<Iterable<string>>((words, step) => eachCut(words, step, isStart), [text]),
    byteLevel: known.at(-1)?.byteLevel ?? false,
  };
}

function* eachCut(words: Iterable<string>, step: PreTokenizer, isStart: boolean): Generator<string> {
  let first = isStart;
  for (const word of words) {
    yield* step.words(word, first);
    first = false;
  }
}

function* whitespaceWords(text: string): Generator<string> {
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ((unicodeClasses[text.charCodeAt(at)]! & IS_SPACE) === 0) continue;
    if (at > start) yield text.slice(start, at);
    start = at + 1;
  }
  if (start < text.length) yield text.slice(start);
}

/** Blanks become `▁`, one more goes before a text, and each starts a word. */
function metaspaceWords(options: z.infer<typeof metaspace>): PreTokenizer['words'] {
  const { replacement, split } = options;
  const scheme = options.prepend_scheme ?? (options.add_prefix_space ? 'always' : 'never');
  return function* (text, isStart) {
    let marked = text.replaceAll(' ', () => replacement);
    const prepends = scheme === 'always' || (scheme === 'first' && isStart);
    if (prepends && !marked.startsWith(replacement)) marked = replacement + marked;
    let start = 0;
    let next = split ? marked.indexOf(replacement, 1) : -1;
    while (next !== -1) {
      yield marked.slice(start, next);
      start = next;
      next = marked.indexOf(replacement, start + 1);
    }
    yield marked.slice(start);
  };
}
