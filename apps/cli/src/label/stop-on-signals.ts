/**
 * Turns the first Ctrl-C (or SIGTERM) into a clean stop. The second finds nobody listening and ends the process at once,
 * as the system does it: `process.exit` would wait for the threads' batches.
 */
export function stopOnSignals(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  const stop = (): void => {
    release();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, release };
}
