/** The store of the activations has had no room for so long. */
export class ActivationsFullError extends Error {
  override readonly name = 'ActivationsFullError';

  constructor(
    /** Bytes that had no room. */
    readonly bytes: number,
    cause: unknown,
  ) {
    super(`The store of the activations has no room for ${bytes} bytes: give it more memory.`, { cause });
  }
}
