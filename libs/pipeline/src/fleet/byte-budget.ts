export interface HowToWait {
  /** Not at all. */
  readonly urgent?: boolean | undefined;
  /** No longer than until it aborts. */
  readonly signal?: AbortSignal | undefined;
}

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

  /**
   * Begins the work when its bytes are free; they are taken until it has ended.
   * @throws the reason of a signal that aborts before the work has begun
   */
  async with<T>(bytes: number, work: () => Promise<T>, how: HowToWait = {}): Promise<T> {
    if (how.urgent === true) this.#used += bytes;
    else await this.#turn(bytes, how.signal);
    try {
      return await work();
    } finally {
      this.#used -= bytes;
      this.#admit();
    }
  }

  #turn(bytes: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
        this.#admit();
      };
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const waiting = { bytes, begin };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#admit();
    });
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
