import { htmlText } from './html-text.js';
import { parseMail } from './mail.js';

/** Characters (code points) of a mail that count; a model of 128 tokens sees far fewer. */
const maxCharacters = 4000;

/** White space of Unicode: JavaScript's `\s` leaves out "next line". */
const whiteSpace = /[\s\x85]+/g;

/**
 * The text of a mail as the spam checkpoint was trained on it: subject, newline, body; the body is the first
 * `text/plain` part, else the first HTML part without its tags; white space collapsed; 4,000 characters.
 */
export async function mailText(bytes: Buffer): Promise<string> {
  const { subject, plain, html } = await parseMail(bytes);
  const body = plain ?? (html === undefined ? '' : htmlText(html));
  return firstCharacters(`${subject}\n${body}`.replaceAll(whiteSpace, ' ').trim(), maxCharacters);
}

function firstCharacters(text: string, count: number): string {
  // Every code point is one or two UTF-16 units, so this prefix holds enough of them.
  return text.length <= count
    ? text
    : Array.from(text.slice(0, 2 * count))
        .slice(0, count)
        .join('');
}
