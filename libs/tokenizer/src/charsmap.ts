import {
  BREAKS_GRAPHEMES,
  EXTENDS_GRAPHEME,
  PREPENDS_TO_GRAPHEME,
  subwordClasses,
} from './subword-classes.js';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** UTF-8 bytes; longer graphemes are mapped character by character. */
const LONGEST_GRAPHEME = 5;
const PRINTABLE_ASCII = /^[ -~]*$/;

/**
 * SentencePiece's `precompiled_charsmap`: replacements of characters (NFKC and more) as a Darts-clone double array
 * over UTF-8, whose values are places in a list of texts that end with a NUL.
 *
 * It maps as the reference (tokenizers, Precompiled) does, not as SentencePiece: a grapheme of less than 6 bytes is
 * replaced as a whole by what its SHORTEST known prefix maps to; any other is mapped character by character.
 * Not told apart are graphemes that only longer ones hold together: emoji sequences, flags, Hangul syllables.
 */
export class Charsmap {
  /** Units of the double array: label in bits 0–7, whether a value follows in 8, offset from 9. */
  readonly #units: Uint32Array;
  readonly #replacements: Buffer;
  /** What a character by itself becomes; undefined where it stays. */
  readonly #ofCharacter = new Map<number, string | undefined>();
  readonly #asciiStays: boolean;

  /** @param base64 as in tokenizer.json; throws an Error where it is damaged */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const trieBytes = bytes.length < 4 ? NaN : bytes.readUInt32LE(0);
    if (!(trieBytes % 4 === 0 && trieBytes > 0 && 4 + trieBytes <= bytes.length)) {
      throw new Error('its precompiled_charsmap is damaged: it does not hold the trie that it announces');
    }
    this.#units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.#replacements = bytes.subarray(4 + trieBytes);
    this.#asciiStays = Array.from({ length: 0x5f }, (_, i) => this.#mapped(0x20 + i)).every(
      (replacement) => replacement === undefined,
    );
  }

  normalize(text: string): string {
    if (this.#asciiStays && PRINTABLE_ASCII.test(text)) return text;
    let result = '';
    for (let start = 0; start < text.length;) {
      const codePoint = text.codePointAt(start)!;
      const next = start + (codePoint > 0xffff ? 2 : 1);
      const end = graphemeEnd(text, start, next);
      if (end > next) {
        const grapheme = text.slice(start, end);
        const whole =
          grapheme.length <= LONGEST_GRAPHEME && Buffer.byteLength(grapheme) <= LONGEST_GRAPHEME
            ? this.#lookUp(grapheme)
            : undefined;
        if (whole === undefined) {
          for (const character of grapheme) result += this.#mapped(character.codePointAt(0)!) ?? character;
        } else {
          result += whole;
        }
      } else {
        result += this.#mapped(codePoint) ?? String.fromCodePoint(codePoint);
      }
      start = end;
    }
    return result;
  }

  #mapped(codePoint: number): string | undefined {
    let mapped = this.#ofCharacter.get(codePoint);
    if (mapped === undefined && !this.#ofCharacter.has(codePoint)) {
      mapped = this.#lookUp(String.fromCodePoint(codePoint));
      this.#ofCharacter.set(codePoint, mapped);
    }
    return mapped;
  }

  /** The replacement of the shortest prefix that has one. */
  #lookUp(text: string): string | undefined {
    let node = offsetOf(this.#units[0]!);
    for (const byte of Buffer.from(text)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = this.#units[node];
      if (unit === undefined || labelOf(unit) !== byte) return undefined;
      node ^= offsetOf(unit);
      if (hasValue(unit)) return this.#replacementAt((this.#units[node] ?? 0) & 0x7fffffff);
    }
    return undefined;
  }

  #replacementAt(start: number): string {
    const end = this.#replacements.indexOf(0, start);
    return this.#replacements.toString('utf8', start, end === -1 ? undefined : end);
  }
}

/** The end of the grapheme whose first character ends at `next`. */
function graphemeEnd(text: string, start: number, next: number): number {
  let last = text.codePointAt(start)!;
  let end = next;
  while (end < text.length) {
    const codePoint = text.codePointAt(end)!;
    if (!belongTogether(last, codePoint)) break;
    end += codePoint > 0xffff ? 2 : 1;
    last = codePoint;
  }
  return end;
}

/** Rules GB3 to GB9b of Unicode's Standard Annex #29. */
function belongTogether(first: number, second: number): boolean {
  if (first === CARRIAGE_RETURN && second === LINE_FEED) return true;
  if (((subwordClasses[first]! | subwordClasses[second]!) & BREAKS_GRAPHEMES) !== 0) return false;
  return (
    (subwordClasses[second]! & EXTENDS_GRAPHEME) !== 0 ||
    (subwordClasses[first]! & PREPENDS_TO_GRAPHEME) !== 0
  );
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

function hasValue(unit: number): boolean {
  return (unit & 0x100) !== 0;
}
