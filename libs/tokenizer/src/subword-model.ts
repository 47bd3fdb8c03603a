/** Splits one word, as the pre-tokeniser made it, into the ids of its pieces. */
export interface SubwordModel {
  ids(word: string): number[];
}

/** Ids of the tokens `<0x00>` to `<0xFF>`, of those that the vocabulary has, `[256]`. */
export function byteTokenIds(idOf: (token: string) => number | undefined): (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) =>
    idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
}

/** Ids of the bytes of a text in UTF-8, or undefined where the vocabulary lacks one of them. */
export function idsOfBytes(text: string, byteIds: readonly (number | undefined)[]): number[] | undefined {
  const ids: number[] = [];
  for (const byte of Buffer.from(text)) {
    const id = byteIds[byte];
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
