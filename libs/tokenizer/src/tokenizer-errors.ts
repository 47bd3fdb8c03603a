import { shownText } from '#pipeline/shown-text.js';

/** A tokenizer file that cannot be read or does not hold what it must. */
export class TokenizerFileError extends Error {
  override readonly name = 'TokenizerFileError';

  constructor(
    readonly file: string,
    readonly problem: string,
  ) {
    super(`${file}: ${shownText(problem)}`);
  }
}

/** What an unknown caught value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Options or texts that the tokenizer cannot serve. */
export class TokenizerUsageError extends Error {
  override readonly name = 'TokenizerUsageError';
}

/** A tokenizer thread ended, so its calls have no answer. */
export class TokenizerThreadError extends Error {
  override readonly name = 'TokenizerThreadError';
}

/** A call to, or still waiting in, a tokenizer that was closed. */
export class TokenizerClosedError extends Error {
  override readonly name = 'TokenizerClosedError';

  constructor() {
    super('The tokenizer is closed.');
  }
}
