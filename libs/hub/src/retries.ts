import { setTimeout as pause } from 'node:timers/promises';
import { isPassing } from './hub-errors.js';

/** In a row, without anything coming in between. */
const MOST_FAILURES = 5;
const FIRST_PAUSE_MS = 500;
/** The windows of a hub's rate limits are 5 minutes long. */
const LONGEST_WAIT_MS = 300_000;
/** Less is no sign that a connection is worth going on with. */
const ADVANCE_BYTES = 65_536;

export interface RetryHooks {
  readonly signal: AbortSignal;
  readonly onNote: (note: string) => void;
  /** Half a second unless told. */
  readonly firstPauseMs?: number | undefined;
}

/** Patience with trouble that passes: waits twice as long after each failure, and gives up after five in a row. */
export class Retries {
  readonly #hooks: RetryHooks;
  #failures = 0;
  #furthest = 0;

  constructor(hooks: RetryHooks) {
    this.#hooks = hooks;
  }

  /** So many bytes are here. Only more than there ever were ends a row of failures: starting again is no advance. */
  reached(bytes: number): void {
    if (bytes < this.#furthest + ADVANCE_BYTES) return;
    this.#furthest = bytes;
    this.#failures = 0;
  }

  /** Returns when it is time to try again. @throws the error itself where that is of no use, or the signal's reason */
  async after(error: unknown): Promise<void> {
    const { signal, onNote, firstPauseMs = FIRST_PAUSE_MS } = this.#hooks;
    this.#failures += 1;
    if (!isPassing(error) || this.#failures >= MOST_FAILURES) throw error;
    const waitMs = error.waitMs ?? firstPauseMs * 2 ** (this.#failures - 1);
    if (waitMs > LONGEST_WAIT_MS) throw error;
    onNote(
      `${error.message.split('. ')[0]}; trying again${waitMs >= 1000 ? ` in ${Math.ceil(waitMs / 1000)} s` : ''}`,
    );
    try {
      await pause(waitMs, undefined, { signal });
    } catch {
      signal.throwIfAborted();
    }
  }
}
