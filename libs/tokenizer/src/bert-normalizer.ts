import {
  IS_DECOMPOSED,
  IS_IDEOGRAPH,
  IS_LOWERED,
  IS_MARK,
  IS_NONSTARTER,
  IS_REMOVED,
  IS_SPACE,
  combiningClass,
  lowerCase,
  unicodeClasses,
} from './unicode-classes.js';

/** The fields of `BertNormalizer` in tokenizer.json, defaults filled in. */
export interface BertNormalizerOptions {
  /** Removes control characters, turns white space to U+0020. */
  readonly cleanText: boolean;
  /** Puts spaces around CJK ideographs. */
  readonly isolateIdeographs: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** What a lone surrogate is taken for, as a UTF-8 decoder would. */
const REPLACEMENT_CHARACTER = 0xfffd;
const BLANK = 0x20;
const PRINTABLE_ASCII = /^[ -~]*$/;

/**
 * BERT's text normaliser, character by character as the reference does it: clean, isolate ideographs, decompose
 * (NFD) and strip nonspacing marks, lower-case. The lower case of a character does not depend on its neighbours
 * (no final sigma); canonical ordering alone looks at more than one character.
 */
export class BertNormalizer {
  readonly #options: BertNormalizerOptions;

  constructor(options: BertNormalizerOptions) {
    this.#options = options;
  }

  /** May stop once the result has more than `limit` UTF-16 units, for callers who then need no more of it. */
  normalize(text: string, limit = Infinity): string {
    if (PRINTABLE_ASCII.test(text)) return this.#options.lowercase ? text.toLowerCase() : text;

    let result = '';
    // Nonstarters since the last starter, less the stripped ones: put in order before they are written.
    const pending: number[] = [];
    for (let at = 0; at < text.length && result.length + pending.length <= limit; at += 1) {
      const codePoint = text.codePointAt(at)!;
      if (codePoint > 0xffff) at += 1;
      for (const part of this.#parts(codePoint)) {
        const bits = this.#options.stripAccents ? unicodeClasses[part]! : 0;
        if (!(bits & IS_NONSTARTER)) {
          if (pending.length > 0) result += this.#inOrder(pending.splice(0));
          if (!(bits & IS_MARK)) result += this.#lower(part);
        } else if (!(bits & IS_MARK)) {
          pending.push(part);
        }
      }
    }
    return result + this.#inOrder(pending);
  }

  /** What a character becomes before accents are stripped: nothing, itself, or several characters. */
  #parts(codePoint: number): readonly number[] {
    const known = codePoint >= 0xd800 && codePoint <= 0xdfff ? REPLACEMENT_CHARACTER : codePoint;
    const bits = unicodeClasses[known]!;
    if (this.#options.cleanText && bits & IS_REMOVED) return [];
    if (this.#options.cleanText && bits & IS_SPACE) return [BLANK];
    const parts = this.#options.stripAccents && bits & IS_DECOMPOSED ? decompose(known) : [known];
    return this.#options.isolateIdeographs && bits & IS_IDEOGRAPH ? [BLANK, ...parts, BLANK] : parts;
  }

  #lower(codePoint: number): string {
    if (this.#options.lowercase && unicodeClasses[codePoint]! & IS_LOWERED) return lowerCase.get(codePoint)!;
    return String.fromCodePoint(codePoint);
  }

  /** Canonical ordering: stable, by combining class. */
  #inOrder(nonstarters: number[]): string {
    nonstarters.sort((a, b) => combiningClass.get(a)! - combiningClass.get(b)!);
    return nonstarters.map((codePoint) => this.#lower(codePoint)).join('');
  }
}

/** Safe to leave to any Node: Unicode never changes the decomposition of a character that has one. */
function decompose(codePoint: number): number[] {
  return Array.from(String.fromCodePoint(codePoint).normalize('NFD'), (part) => part.codePointAt(0)!);
}
