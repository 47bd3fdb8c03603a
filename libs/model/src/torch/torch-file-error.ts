import { shownText } from '#pipeline/shown-text.js';

/** A file of torch's that cannot be read, or asks for what no weights need. */
export class TorchFileError extends Error {
  override readonly name = 'TorchFileError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${shownText(problem)}`);
  }
}
