/** Longer raw words are rare and not worth their memory. In UTF-16 units. */
const LONGEST = 48;
/** Some 10 MB when full of usual words. */
const CAPACITY = 65_536;

/** Remembers the ids of raw words. Starts anew when it is full, so its memory is bounded. */
export class WordCache {
  readonly #ids = new Map<string, readonly number[]>();

  get(rawWord: string): readonly number[] | undefined {
    return rawWord.length > LONGEST ? undefined : this.#ids.get(rawWord);
  }

  set(rawWord: string, ids: readonly number[]): void {
    if (rawWord.length > LONGEST) return;
    if (this.#ids.size >= CAPACITY) this.#ids.clear();
    this.#ids.set(detached(rawWord), ids);
  }
}

/** A copy of its own: a slice, kept, would keep the whole text that it was cut from. */
function detached(slice: string): string {
  return String.fromCharCode(...Array.from({ length: slice.length }, (_, at) => slice.charCodeAt(at)));
}
