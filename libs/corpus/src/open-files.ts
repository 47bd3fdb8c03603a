import type { FileCorpus } from './file-corpus.js';

interface OpenFile {
  readonly opening: Promise<FileCorpus>;
  users: number;
}

/** Files that are opened when they are needed. Those used last stay open, few at a time, however many there are. */
export class OpenFiles {
  readonly #open: (file: number) => Promise<FileCorpus>;
  readonly #most: number;
  /** By file, the one used last at the end. */
  readonly #files = new Map<number, OpenFile>();

  /** @param most files that stay open while nobody uses them */
  constructor(open: (file: number) => Promise<FileCorpus>, most: number) {
    this.#open = open;
    this.#most = most;
  }

  /** Opens the file unless it is open. Who takes it gives it back with `release`. */
  async take(file: number): Promise<FileCorpus> {
    const taken = this.#files.get(file) ?? { opening: this.#open(file), users: 0 };
    this.#files.delete(file);
    this.#files.set(file, taken);
    taken.users += 1;
    try {
      return await taken.opening;
    } catch (error) {
      this.#files.delete(file);
      throw error;
    }
  }

  async release(file: number): Promise<void> {
    const given = this.#files.get(file);
    if (given !== undefined) given.users -= 1;
    for (const [idle, { opening, users }] of this.#files) {
      if (this.#files.size <= this.#most) return;
      if (users > 0) continue;
      this.#files.delete(idle);
      await (await opening).close();
    }
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const { opening } of files) await (await opening).close();
  }
}
