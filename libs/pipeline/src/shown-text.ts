/** C0 and C1 controls, line and paragraph separators, and what turns the direction of writing. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Text of a file that is not trusted, for a message: on one line, and nothing that a terminal would obey. Characters that
 * nobody sees become escapes such as `\u{1b}`.
 */
export function shownText(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
