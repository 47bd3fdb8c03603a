/** Names that a hub gives to files are untrusted: they become paths here, and words on a terminal. */

/** Beside the files of a pulled model. */
export const manifestName = '.sluice-pull.json';

/** How the names of unfinished files end. */
export const partSuffix = '.part';

/** Whether a name is one of a plain file below a folder, whatever the system, and none that a pull itself uses. */
export function isPlainName(name: string): boolean {
  return (
    name.length <= 1024 &&
    !/[\\:\p{Control}]/u.test(name) &&
    // Windows drops dots and blanks at the end of a name.
    name.split('/').every((part) => part !== '' && !/[. ]$/.test(part)) &&
    name !== manifestName &&
    !name.endsWith(partSuffix) &&
    !name.endsWith('.lock')
  );
}

/** A name without what would move a terminal's cursor or turn its text around. */
export function shownName(name: string): string {
  const cut = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return cut.replaceAll(
    /[\p{Control}\p{Format}\p{Surrogate}\u2028\u2029]/gu,
    (character) => String.raw`\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** `a, b, c` of many names: the first ones, and how many more there are. */
export function shownNames(names: readonly string[], most = 12): string {
  const first = names.slice(0, most).map(shownName).join(', ');
  return names.length > most ? `${first} and ${names.length - most} more` : first;
}
