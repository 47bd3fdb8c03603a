/** Bytes that several pieces of work share. A piece larger than all of them waits until it is alone; urgent ones never wait. */
export class ByteBudget {
  readonly #total: number;
  #used = 0;
  /** In the order in which they came: none is overtaken for ever. */
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether work waits for bytes. */
  get isFull(): boolean {
    return this.#waiting.length > 0;
  }

  /** Begins the work when its bytes are free; they are taken until it has ended. */
  async with<T>(bytes: number, work: () => Promise<T>, isUrgent = false): Promise<T> {
    if (isUrgent) this.#used += bytes;
    else
      await new Promise<void>((begin) => {
        this.#waiting.push({ bytes, begin });
        this.#admit();
      });
    try {
      return await work();
    } finally {
      this.#used -= bytes;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + next.bytes > this.#total) return;
      this.#waiting.shift();
      this.#used += next.bytes;
      next.begin();
    }
  }
}
