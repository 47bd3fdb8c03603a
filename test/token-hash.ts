import { createHash } from 'node:crypto';

/** Hash of rows of ids, in the format that test/fixtures/tokenizer/make_fixtures.py defines. */
export class TokenHash {
  readonly #hash = createHash('sha256');

  row(values: Int32Array): void {
    const bytes = Buffer.alloc(4 * (values.length + 1));
    bytes.writeInt32LE(values.length, 0);
    values.forEach((value, i) => bytes.writeInt32LE(value, 4 * (i + 1)));
    this.#hash.update(bytes);
  }

  text(text: string): void {
    this.#hash.update(text, 'utf8');
  }

  hex(): string {
    return this.#hash.digest('hex');
  }
}
