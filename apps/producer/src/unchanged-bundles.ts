import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bundles that are kept. */
const MOST = 64;

/** What was read of bundles, as long as their bundle.json does not change; the ones used last are kept. */
export class UnchangedBundles<Value> {
  readonly #read: (directory: string) => Promise<Value>;
  readonly #known = new Map<string, { readonly stamp: string; readonly value: Promise<Value> }>();

  constructor(read: (directory: string) => Promise<Value>) {
    this.#read = read;
  }

  /** @throws what reading throws */
  async of(directory: string): Promise<Value> {
    const file = await stat(join(directory, 'bundle.json'));
    const stamp = `${file.ino}-${file.mtimeMs}-${file.size}`;
    const before = this.#known.get(directory);
    const known = before?.stamp === stamp ? before : { stamp, value: this.#read(directory) };
    this.#known.delete(directory);
    this.#known.set(directory, known);
    known.value.catch(() => {
      if (this.#known.get(directory) === known) this.#known.delete(directory);
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return known.value;
  }
}
