/** An option, or the head of a file, that makes reading pointless. Nothing was read yet. */
export class CorpusOpenError extends Error {
  override readonly name = 'CorpusOpenError';
  constructor(
    /** The file, or `-`. */
    readonly path: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot read ${path}: ${problem}`, options);
  }
}

/** The corpus is no longer the one that was planned or spooled. */
export class CorpusChangedError extends Error {
  override readonly name = 'CorpusChangedError';
  constructor(
    readonly path: string,
    /** The bytes that differ, or among which at least one differs. */
    readonly range: { readonly start: number; readonly end: number },
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `${path} changed: bytes ${range.start} to ${range.end} should be ${expected}, found ${found}. ` +
        'Restore the file, or start a new run.',
    );
  }
}
