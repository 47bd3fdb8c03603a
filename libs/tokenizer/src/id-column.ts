/** A growing column of token ids. */
export class IdColumn {
  #ids: Int32Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#ids = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(id: number): void {
    if (this.#length === this.#ids.length) {
      const grown = new Int32Array(2 * this.#ids.length);
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids[this.#length] = id;
    this.#length += 1;
  }

  pushAll(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i += 1) this.push(ids[i]!);
  }

  /** Forgets all ids but the first `length`. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** A copy of ids `from` to `to`. */
  slice(from = 0, to = this.#length): Int32Array {
    return this.#ids.slice(from, Math.min(to, this.#length));
  }
}
