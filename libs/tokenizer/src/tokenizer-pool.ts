import type { TokenColumns } from '#pipeline/columns.js';
import type { Tokenizer } from '#pipeline/ports.js';

import { TokenizerClosedError, TokenizerThreadError } from './tokenizer-errors.js';
import type { TokenizeRequest } from './tokenizer-messages.js';
import type { TokenizerThreadHandle } from './tokenizer-thread-handle.js';

interface Waiting {
  resolve(thread: TokenizerThreadHandle): void;
  reject(error: Error): void;
}

/** Gives each call to an idle thread, first come first served. Where one thread ends, the pool ends. */
export class TokenizerPool implements Tokenizer {
  readonly concurrency: number;
  readonly #threads: readonly TokenizerThreadHandle[];
  readonly #idle: TokenizerThreadHandle[];
  #waiting: Waiting[] = [];
  /** Why the pool takes no more calls. */
  #end: Error | undefined;

  constructor(threads: readonly TokenizerThreadHandle[]) {
    this.concurrency = threads.length;
    this.#threads = threads;
    this.#idle = [...threads];
  }

  /** @throws TokenizerUsageError, TokenizerThreadError, TokenizerClosedError */
  async tokenize(texts: readonly string[], pairs?: readonly string[]): Promise<TokenColumns> {
    const request: TokenizeRequest = { texts, pairs };
    const thread = await this.#idleThread();
    try {
      return await thread.tokenize(request);
    } catch (error) {
      if (error instanceof TokenizerThreadError) this.#finish(error);
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next.resolve(thread);
    }
  }

  async close(): Promise<void> {
    this.#finish(new TokenizerClosedError());
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #idleThread(): Promise<TokenizerThreadHandle> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      const thread = this.#idle.pop();
      if (thread === undefined) this.#waiting.push({ resolve, reject });
      else resolve(thread);
    });
  }

  #finish(reason: Error): void {
    this.#end ??= reason;
    for (const waiting of this.#waiting) waiting.reject(this.#end);
    this.#waiting = [];
  }
}
