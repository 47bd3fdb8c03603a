/** A pickle that ends too early, or asks for what is not allowed. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

const MOST_INTEGER_BYTES = 32;

/** Reads a pickle's arguments from bytes, one after the other. */
export class PickleReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get position(): number {
    return this.#at;
  }

  /** @throws PickleError */
  take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      throw new PickleError(
        `its pickle ends at byte ${this.#bytes.length}, inside what starts at ${this.#at}`,
      );
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  uint8(): number {
    return this.take(1)[0]!;
  }

  uint16(): number {
    return this.take(2).readUInt16LE();
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  int32(): number {
    return this.take(4).readInt32LE();
  }

  /** Of what has no more bytes than a file, so within 2⁵³. */
  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  float64(): number {
    return this.take(8).readDoubleBE();
  }

  /** A little-endian integer in two's complement; not exact beyond 2⁵³. */
  integer(bytes: number): number {
    if (bytes === 0) return 0;
    if (bytes > MOST_INTEGER_BYTES) throw new PickleError(`its pickle has an integer of ${bytes} bytes`);
    const value = this.take(bytes).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return Number(BigInt.asIntN(bytes * 8, value));
  }

  /** Up to a line's end, which is dropped. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw new PickleError('its pickle ends inside a line');
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  text(bytes: number): string {
    return this.take(bytes).toString('utf8');
  }
}
