import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const invisible = /^[\p{Control}\p{Format}\p{Mark}\p{Surrogate}]/u;
const emojiSelector = '\ufe0f';

/** Columns that a text takes in a terminal: 2 for a wide character (CJK, emoji), 0 for marks and colour codes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text)))
    width += graphemeWidth(segment);
  return width;
}

/** Cuts an uncoloured text to so many columns; `…` stands for what is missing. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let fitted = '';
  let width = 1;
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    fitted += segment;
  }
  return columns < 1 ? '' : `${fitted}…`;
}

/** Fills a text with spaces to so many columns. */
export function padText(text: string, columns: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, columns - textWidth(text)));
  return align === 'left' ? text + space : space + text;
}

function graphemeWidth(grapheme: string): number {
  if (invisible.test(grapheme)) return 0;
  return grapheme.includes(emojiSelector) ? 2 : eastAsianWidth(grapheme.codePointAt(0)!);
}
