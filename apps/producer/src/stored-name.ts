/** What file systems take is 255; the ending of a name, a number and what is put behind it need room. */
const MOST_STEM_BYTES = 170;

/**
 * What an uploaded file is called in its folder: as it was, but for what means something to paths, patterns and shells. It keeps
 * its ending, which tells its format.
 * @param name without folders
 * @param taken by files of the folder, none of which is given again; of each the number that was last put behind it. Takes the new one
 * @returns undefined for a name without a letter or a digit, such as `..`
 */
export function storedName(name: string, taken: Map<string, number>): string | undefined {
  if (!/[\p{L}\p{N}]/u.test(name)) return undefined;
  const plain = name.replace(/[^\p{L}\p{M}\p{N} ._()+-]/gu, '_').replace(/^(?![\p{L}\p{N}_])/u, '_');
  const at = plain.search(/(\.[a-z0-9]{1,9}){0,2}$/i);
  // A letter that is cut through decodes as a sign that no plain name has.
  const stem = Buffer.from(plain.slice(0, at))
    .subarray(0, MOST_STEM_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
  const wanted = stem + plain.slice(at);
  let stored = wanted;
  // Many files may have one name: each goes on behind the one before.
  let number = taken.get(wanted) ?? 1;
  while (taken.has(stored)) stored = `${stem}_${(number += 1)}${plain.slice(at)}`;
  taken.set(wanted, number);
  if (stored !== wanted) taken.set(stored, 1);
  return stored;
}
