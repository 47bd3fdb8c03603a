import { IS_LETTER, IS_NUMBER, IS_WHITE_SPACE, subwordClasses } from './subword-classes.js';

const BLANK = 0x20;
const APOSTROPHE = 0x27;
const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
const KINDS = IS_LETTER | IS_NUMBER | IS_WHITE_SPACE;

/**
 * The words of GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, in one pass. A
 * blank goes with the word after it; every character is in some word.
 */
export function* byteLevelWords(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = wordEnd(text, start);
    yield text.slice(start, end);
    start = end;
  }
}

function wordEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === APOSTROPHE) {
    const contraction = CONTRACTIONS.find((end) => text.startsWith(end, start));
    if (contraction !== undefined) return start + contraction.length;
  }
  const wordStart = first === BLANK && start + 1 < text.length ? start + 1 : start;
  const kind = kindAt(text, wordStart);
  if (kind !== IS_WHITE_SPACE) return runEnd(text, wordStart, kind);
  const end = runEnd(text, start, IS_WHITE_SPACE);
  // Of a run before a word the last character is left to it, or stands alone.
  return end === text.length || end === start + 1 ? end : end - 1;
}

function runEnd(text: string, start: number, kind: number): number {
  let end = start;
  while (end < text.length && kindAt(text, end) === kind) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return end;
}

/** Letter, number, white space, or 0. */
function kindAt(text: string, at: number): number {
  return subwordClasses[text.codePointAt(at)!]! & KINDS;
}

/** Stands for each byte: itself where it is printable in Latin-1, else a character from U+0100 on, `[256]`. */
const ALPHABET = byteAlphabet();
const PRINTABLE_ASCII = /^[!-~]*$/;

/** A word in the alphabet of byte-level vocabularies: a character for each byte of its UTF-8. Example: ` é` → `ĠÃ©`. */
export function spellBytes(word: string): string {
  if (PRINTABLE_ASCII.test(word)) return word;
  let spelt = '';
  for (const byte of Buffer.from(word)) spelt += ALPHABET[byte]!;
  return spelt;
}

function byteAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    if (printable) return String.fromCharCode(byte);
    next += 1;
    return String.fromCharCode(next - 1);
  });
}
