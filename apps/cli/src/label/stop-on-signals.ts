/** Signals so close together are one wish: a terminal's Ctrl-C reaches `npx` and us, and `npx` passes it on as well. */
const ONE_WISH_MS = 500;

/**
 * Turns the first Ctrl-C (or SIGTERM) into a clean stop. A later one ends the process at once, as the system does it:
 * `process.exit` would wait for the threads' batches.
 * @param signals those that stop it
 */
export function stopOnSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): {
  readonly signal: AbortSignal;
  release(): void;
} {
  const controller = new AbortController();
  let stopped = 0;
  const stop = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      stopped = performance.now();
      controller.abort();
    } else if (performance.now() - stopped > ONE_WISH_MS) {
      forget();
      process.kill(process.pid, signal);
    }
  };
  const forget = (): void => {
    for (const each of signals) process.off(each, stop);
  };
  // Where the user has stopped it the process ends next, and the doubled signal may still be on its way.
  const release = (): void => {
    if (!controller.signal.aborted) forget();
  };
  for (const each of signals) process.on(each, stop);
  return { signal: controller.signal, release };
}
