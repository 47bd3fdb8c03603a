/**
 * What spreadsheets may take for a formula: a cell that starts with one of = + - @, also as full-width characters, white
 * space before it or not; or with a tab or a line end (https://owasp.org/www-community/attacks/CSV_Injection).
 */
const FORMULA = /^(?:\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])/u;
/** A number with a sign computes nothing, and must stay one. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The text of a cell that no spreadsheet takes for a formula: where need be with an apostrophe before it. */
export function spreadsheetSafe(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
