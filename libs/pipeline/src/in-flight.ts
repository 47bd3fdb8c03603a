import { setMaxListeners } from 'node:events';

/**
 * Works on the items of a source, at most `limit` at once; the source is not read further ahead. The first error,
 * of the source or of the work, aborts `stop` with itself as the reason and is thrown after all begun work has
 * settled. If `stop` is aborted from outside, its reason is thrown the same way; work is expected to heed it.
 */
export async function inFlight<T>(
  source: AsyncIterable<T>,
  limit: number,
  stop: AbortController,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // Each piece of work may wait for the signal, and so may the source.
  setMaxListeners(limit + 1, stop.signal);
  const running = new Set<Promise<void>>();
  try {
    for await (const item of source) {
      if (stop.signal.aborted) break;
      const task = work(item)
        .catch((error: unknown) => stop.abort(error))
        .finally(() => running.delete(task));
      running.add(task);
      if (running.size >= limit) await Promise.race(running);
      if (stop.signal.aborted) break;
    }
  } catch (error) {
    stop.abort(error);
  }
  await Promise.all(running);
  stop.signal.throwIfAborted();
}

/** Waits for `work`, but no longer than until the signal aborts; then rejects with its reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The items of `source` until the signal aborts, even where the source itself is stuck; then throws its reason. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a stuck source returns only when its owner closes it.
    iterator.return?.().catch(() => undefined);
  }
}
