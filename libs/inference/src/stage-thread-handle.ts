import { Worker } from 'node:worker_threads';
import type { StageBatch, StageResult } from '#pipeline/ports.js';
import { GraphLoadError } from './onnx-graph.js';
import type { StageReply, StageRequest, StageThreadOptions } from './stage-messages.js';
import { buffersOf } from './stage-messages.js';

/** A stage thread ended, or did not run a batch. Batches that waited for it have no result. */
export class StageThreadError extends Error {
  override readonly name = 'StageThreadError';
}

interface Pending {
  resolve(result: StageResult): void;
  reject(error: Error): void;
}

/** One stage thread, seen from outside. */
export class StageThreadHandle {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #requests = 0;
  /** Why the thread answers no more. */
  #end: Error | undefined;
  #started: { resolve(): void; reject(error: Error): void } | undefined;

  private constructor(options: StageThreadOptions) {
    this.#worker = new Worker(new URL(import.meta.resolve('#entry/inference/src/stage.thread.js')), {
      workerData: options,
      execArgv: [],
    });
    this.#worker.on('message', (reply: StageReply) => this.#hear(reply));
    this.#worker.on('error', (cause: Error) => {
      this.#finish(new StageThreadError(`A stage thread failed: ${cause.message}`, { cause }));
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#finish(new StageThreadError(`A stage thread ended unasked with exit code ${code}.`));
        resolve();
      });
    });
  }

  /** Resolves once the thread has loaded every stage. @throws GraphLoadError, StageThreadError */
  static async start(options: StageThreadOptions): Promise<StageThreadHandle> {
    const thread = new StageThreadHandle(options);
    try {
      await new Promise<void>((resolve, reject) => {
        thread.#started = { resolve, reject };
      });
      return thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** Batches that wait for their result, the running one included. */
  get load(): number {
    return this.#pending.size;
  }

  get alive(): boolean {
    return this.#end === undefined;
  }

  /** Moves the batch's arrays into the thread. @throws StageThreadError */
  run(batch: StageBatch): Promise<StageResult> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      const number = this.#requests++;
      const { input, policy } = batch;
      const arrays = input.kind === 'hidden' ? [input.hidden] : [input.ids, input.segments];
      const request: StageRequest = { kind: 'run', number, batch };
      this.#worker.postMessage(request, buffersOf([policy, ...arrays]));
      this.#pending.set(number, { resolve, reject });
    });
  }

  /**
   * Rejects what waits and resolves once the thread has ended, which is after the batch that it computes: ONNX Runtime
   * aborts the whole process where its thread is terminated within one.
   */
  async close(): Promise<void> {
    this.#finish(new StageThreadError('The stage runner is closed.'));
    const request: StageRequest = { kind: 'close' };
    this.#worker.postMessage(request, []);
    await this.#exited;
  }

  #hear(reply: StageReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#started?.resolve();
        return;
      case 'not-loaded':
        this.#finish(new GraphLoadError(reply.file, reply.message));
        return;
      case 'result':
        this.#settle(reply.number)?.resolve(reply.result);
        return;
      case 'failed':
        this.#settle(reply.number)?.reject(new StageThreadError(reply.message));
    }
  }

  #settle(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    return pending;
  }

  #finish(reason: Error): void {
    this.#end ??= reason;
    this.#started?.reject(this.#end);
    for (const pending of this.#pending.values()) pending.reject(this.#end);
    this.#pending.clear();
  }
}
