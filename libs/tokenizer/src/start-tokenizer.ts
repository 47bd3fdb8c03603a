import type { Tokenizer } from '#pipeline/ports.js';

import { TokenizerUsageError } from './tokenizer-errors.js';
import type { TokenizerThreadOptions } from './tokenizer-messages.js';
import { TokenizerPool } from './tokenizer-pool.js';
import { TokenizerThreadHandle } from './tokenizer-thread-handle.js';

export interface StartTokenizerOptions extends TokenizerThreadOptions {
  /** At least 1. */
  readonly threads: number;
}

/**
 * Starts threads that tokenise with the tokenizer of a directory; resolves once all of them have read it.
 *
 * @throws TokenizerFileError where the directory holds no usable tokenizer
 * @throws TokenizerUsageError for options that cannot be served
 * @throws TokenizerThreadError where a thread does not start
 */
export async function startTokenizer(options: StartTokenizerOptions): Promise<Tokenizer> {
  const { threads: count, directory, rule, maxLength } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new TokenizerUsageError(`Expected at least 1 tokenizer thread; got ${count}.`);
  }
  const starts = await Promise.allSettled(
    Array.from({ length: count }, () => TokenizerThreadHandle.start({ directory, rule, maxLength })),
  );
  const threads = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw failed.reason;
  }
  return new TokenizerPool(threads);
}
