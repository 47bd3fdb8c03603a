import { TokenizerFileError, TokenizerUsageError } from './tokenizer-errors.js';

/** An error on its way between threads, where a class does not survive. */
export type TokenizerFailure =
  | { readonly kind: 'file'; readonly file: string; readonly problem: string }
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'other'; readonly message: string };

export function failureOf(error: unknown): TokenizerFailure {
  if (error instanceof TokenizerFileError) return { kind: 'file', file: error.file, problem: error.problem };
  if (error instanceof TokenizerUsageError) return { kind: 'usage', message: error.message };
  return { kind: 'other', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

export function errorOf(failure: TokenizerFailure): Error {
  switch (failure.kind) {
    case 'file':
      return new TokenizerFileError(failure.file, failure.problem);
    case 'usage':
      return new TokenizerUsageError(failure.message);
    case 'other':
      return new Error(`Tokenizing failed: ${failure.message}`);
    default:
      return failure satisfies never;
  }
}
