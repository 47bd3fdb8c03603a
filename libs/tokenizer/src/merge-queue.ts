/** More merges than any model has; with fewer a key below holds a rank and a position exactly. */
export const MOST_RANKS = 2 ** 21;
const MOST_POSITIONS = 2 ** 32;

/** A binary heap of possible merges: the lowest rank first, of equals the leftmost. */
export class MergeQueue {
  /** rank · 2^32 + position. */
  readonly #keys: Float64Array;
  #size = 0;
  /** Of the merge that was popped last. */
  rank = 0;
  position = 0;

  /** @param capacity merges that may wait at one time */
  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  push(rank: number, position: number): void {
    const key = rank * MOST_POSITIONS + position;
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#keys[parent]! <= key) break;
      this.#keys[at] = this.#keys[parent]!;
      at = parent;
    }
    this.#keys[at] = key;
  }

  /** Takes the first merge out, for `rank` and `position`; false where none waits. */
  pop(): boolean {
    if (this.#size === 0) return false;
    const first = this.#keys[0]!;
    this.rank = Math.floor(first / MOST_POSITIONS);
    this.position = first % MOST_POSITIONS;
    this.#size -= 1;
    const key = this.#keys[this.#size]!;
    let at = 0;
    for (let child = 1; child < this.#size; child = 2 * at + 1) {
      if (child + 1 < this.#size && this.#keys[child + 1]! < this.#keys[child]!) child += 1;
      if (key <= this.#keys[child]!) break;
      this.#keys[at] = this.#keys[child]!;
      at = child;
    }
    this.#keys[at] = key;
    return true;
  }
}
