import type { StageBatch, StageResult } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import type { Provider } from './session-options.js';

/** What a stage thread is started with. */
export interface StageThreadOptions {
  /** Path of each stage's graph. */
  readonly files: readonly string[];
  readonly layout: ModelLayout;
  /** The first and last stage to load, 0-based. */
  readonly stages: readonly [first: number, last: number];
  /** Threads of each session. */
  readonly sessionThreads: number;
  readonly provider: Provider;
}

/** A batch for a stage thread, which answers in the order in which it is asked; or the last thing that it hears. */
export type StageRequest =
  { readonly kind: 'run'; readonly number: number; readonly batch: StageBatch } | { readonly kind: 'close' };

export type StageReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-loaded'; readonly file: string; readonly message: string }
  | { readonly kind: 'result'; readonly number: number; readonly result: StageResult }
  | { readonly kind: 'failed'; readonly number: number; readonly message: string };

/** The buffers of arrays, to be moved instead of copied. */
export function buffersOf(arrays: readonly (ArrayBufferView | undefined)[]): ArrayBuffer[] {
  return arrays.flatMap((array) => (array?.buffer instanceof ArrayBuffer ? [array.buffer] : []));
}
