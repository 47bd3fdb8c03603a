const EMPTY = -1;

/** Maps pairs of whole numbers from 0 to whole numbers from 0, without an object for each. */
export class PairTable {
  #lefts = new Int32Array(1024).fill(EMPTY);
  #rights = new Int32Array(1024);
  #values = new Int32Array(1024);
  #size = 0;

  /** The value of a pair, or -1. */
  get(left: number, right: number): number {
    const place = this.#placeOf(left, right);
    return this.#lefts[place] === EMPTY ? -1 : this.#values[place]!;
  }

  set(left: number, right: number, value: number): void {
    // At most half full, so that a search soon meets an empty place.
    if (2 * this.#size >= this.#lefts.length) this.#grow();
    const place = this.#placeOf(left, right);
    if (this.#lefts[place] === EMPTY) this.#size += 1;
    this.#lefts[place] = left;
    this.#rights[place] = right;
    this.#values[place] = value;
  }

  #placeOf(left: number, right: number): number {
    const last = this.#lefts.length - 1;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let place = (hash ^ (hash >>> 13)) & last;
    while (this.#lefts[place] !== EMPTY && (this.#lefts[place] !== left || this.#rights[place] !== right)) {
      place = (place + 1) & last;
    }
    return place;
  }

  #grow(): void {
    const [lefts, rights, values] = [this.#lefts, this.#rights, this.#values];
    this.#lefts = new Int32Array(2 * lefts.length).fill(EMPTY);
    this.#rights = new Int32Array(2 * lefts.length);
    this.#values = new Int32Array(2 * lefts.length);
    for (let i = 0; i < lefts.length; i += 1) {
      if (lefts[i] === EMPTY) continue;
      const place = this.#placeOf(lefts[i]!, rights[i]!);
      this.#lefts[place] = lefts[i]!;
      this.#rights[place] = rights[i]!;
      this.#values[place] = values[i]!;
    }
  }
}
