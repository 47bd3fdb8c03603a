/**
 * The regular expressions that tokenizers of known families replace by, in the reference's notation, with what they
 * mean here; each takes time linear in the text. White space is `\p{White_Space}`, which JavaScript's `\s` is not.
 */
export const KNOWN_PATTERNS: ReadonlyMap<string, RegExp> = new Map([
  [' {2,}', / {2,}/g],
  [String.raw`\s+`, /\p{White_Space}+/gu],
  [String.raw`\s{2,}|[\n\r\t]`, /\p{White_Space}{2,}|[\n\r\t]/gu],
]);
