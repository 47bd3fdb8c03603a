import { rangesOf } from './code-point-ranges.js';
import {
  DECOMPOSED,
  IDEOGRAPH,
  LOWER_CASE,
  MARK,
  NONSTARTER,
  PUNCTUATION,
  REMOVED,
  SPACE,
  SURVIVING_NONSTARTERS,
} from './unicode-tables.js';

/** Bits of a code point in `unicodeClasses`. */
export const IS_REMOVED = 1;
export const IS_SPACE = 2;
export const IS_PUNCTUATION = 4;
export const IS_IDEOGRAPH = 8;
export const IS_DECOMPOSED = 16;
export const IS_MARK = 32;
export const IS_NONSTARTER = 64;
export const IS_LOWERED = 128;

export const CODE_POINTS = 0x110000;

/** What the reference does with each code point, `[CODE_POINTS]` bit sets. */
export const unicodeClasses = new Uint8Array(CODE_POINTS);

/** Lower-case form of each code point whose bit `IS_LOWERED` is set. */
export const lowerCase = new Map<number, string>();

/** Combining class of each nonstarter that is not a mark. */
export const combiningClass = new Map<number, number>();

const DOTTED_CAPITAL_I = 0x130;

for (const [table, bit] of [
  [REMOVED, IS_REMOVED],
  [SPACE, IS_SPACE],
  [PUNCTUATION, IS_PUNCTUATION],
  [IDEOGRAPH, IS_IDEOGRAPH],
  [DECOMPOSED, IS_DECOMPOSED],
  [MARK, IS_MARK],
  [NONSTARTER, IS_NONSTARTER],
] as const) {
  // In a plain loop, for the ideographs are 100,000.
  for (const [first, last] of rangesOf(table)) {
    for (let codePoint = first; codePoint <= last; codePoint += 1) unicodeClasses[codePoint]! |= bit;
  }
}
for (const [combining, table] of SURVIVING_NONSTARTERS) {
  for (const codePoint of codePointsOf(table)) combiningClass.set(codePoint, combining);
}
lowerCase.set(DOTTED_CAPITAL_I, 'i\u0307');
for (const run of LOWER_CASE.trim().split(/\s+/)) {
  const [, range, everyOther, distance] = /^([0-9a-f-]+?)(\/2)?([+-][0-9a-f]+)$/.exec(run)!;
  for (const codePoint of codePointsOf(range!, everyOther === undefined ? 1 : 2)) {
    lowerCase.set(codePoint, String.fromCodePoint(codePoint + Number.parseInt(distance!, 16)));
  }
}
for (const codePoint of lowerCase.keys()) unicodeClasses[codePoint]! |= IS_LOWERED;

function* codePointsOf(table: string, step = 1): Generator<number> {
  for (const [first, last] of rangesOf(table)) {
    for (let codePoint = first; codePoint <= last; codePoint += step) yield codePoint;
  }
}
