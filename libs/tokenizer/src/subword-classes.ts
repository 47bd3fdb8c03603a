import { rangesOf } from './code-point-ranges.js';
import { BREAKING, EXTENDING, LETTER, NUMBER, PREPENDED } from './subword-tables.js';
import { SPACE } from './unicode-tables.js';

/** Bits of a code point in `subwordClasses`. */
export const IS_LETTER = 1;
export const IS_NUMBER = 2;
export const IS_WHITE_SPACE = 4;
export const EXTENDS_GRAPHEME = 8;
export const PREPENDS_TO_GRAPHEME = 16;
export const BREAKS_GRAPHEMES = 32;

/** What the reference's ByteLevel and Precompiled do with each code point, `[code points]` bit sets. */
export const subwordClasses = new Uint8Array(0x110000);

for (const [table, bit] of [
  [LETTER, IS_LETTER],
  [NUMBER, IS_NUMBER],
  [SPACE, IS_WHITE_SPACE],
  [EXTENDING, EXTENDS_GRAPHEME],
  [PREPENDED, PREPENDS_TO_GRAPHEME],
  [BREAKING, BREAKS_GRAPHEMES],
] as const) {
  for (const [first, last] of rangesOf(table)) {
    for (let codePoint = first; codePoint <= last; codePoint += 1) subwordClasses[codePoint]! |= bit;
  }
}
