import { Worker } from 'node:worker_threads';

import type { TokenColumns } from '#pipeline/columns.js';

import { TokenizerClosedError, TokenizerThreadError } from './tokenizer-errors.js';
import { errorOf } from './tokenizer-failure.js';
import type { TokenizeRequest, TokenizerReply, TokenizerThreadOptions } from './tokenizer-messages.js';

interface Awaited {
  resolve(reply: TokenizerReply): void;
  reject(error: Error): void;
}

/** One tokenizer thread, seen from outside. It answers one call at a time. */
export class TokenizerThreadHandle {
  readonly #worker: Worker;
  #awaited: Awaited | undefined;
  /** Why the thread answers no more. */
  #end: Error | undefined;

  private constructor(options: TokenizerThreadOptions, entry: URL) {
    this.#worker = new Worker(entry, { workerData: options, execArgv: [] });
    this.#worker.on('message', (reply: TokenizerReply) => {
      const awaited = this.#awaited;
      this.#awaited = undefined;
      if (reply.kind === 'failed') awaited?.reject(errorOf(reply.failure));
      else awaited?.resolve(reply);
    });
    this.#worker.on('error', (cause: Error) => {
      this.#finish(new TokenizerThreadError(`A tokenizer thread failed: ${cause.message}`, { cause }));
    });
    this.#worker.on('exit', (code) => {
      this.#finish(new TokenizerThreadError(`A tokenizer thread ended unasked with exit code ${code}.`));
    });
  }

  /** Resolves once the thread has read the tokenizer. @throws TokenizerFileError, TokenizerUsageError, TokenizerThreadError */
  static async start(options: TokenizerThreadOptions, entry = threadEntry()): Promise<TokenizerThreadHandle> {
    const thread = new TokenizerThreadHandle(options, entry);
    try {
      await thread.#reply();
      return thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** Call again only once the last call is settled. @throws TokenizerUsageError, TokenizerThreadError, TokenizerClosedError */
  async tokenize(request: TokenizeRequest): Promise<TokenColumns> {
    if (this.#end === undefined) this.#worker.postMessage(request, []);
    const reply = await this.#reply();
    if (reply.kind !== 'tokens') throw new TokenizerThreadError(`Expected tokens; got ${reply.kind}.`);
    return reply.tokens;
  }

  async close(): Promise<void> {
    this.#finish(new TokenizerClosedError());
    await this.#worker.terminate();
  }

  #reply(): Promise<TokenizerReply> {
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#awaited = { resolve, reject };
      else reject(this.#end);
    });
  }

  #finish(reason: Error): void {
    this.#end ??= reason;
    this.#awaited?.reject(this.#end);
    this.#awaited = undefined;
  }
}

function threadEntry(): URL {
  return new URL(import.meta.resolve('#entry/tokenizer/src/tokenizer.thread.js'));
}
