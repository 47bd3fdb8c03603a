/** In which a training that was cancelled may end by itself, ms. */
const CANCELLED_MS = 30_000;

/**
 * When the process of a training that is to stop is killed: at once where another trainer may have the training by now, whose
 * checkpoints are not to be touched; some seconds after it was cancelled, as it may be busy with what it cannot leave.
 * @param stop aborts with the reason
 */
export function killingSignal(stop: AbortSignal): AbortSignal {
  const kill = new AbortController();
  const stopped = (): void => {
    if (stop.reason === 'lock-lost' || stop.reason === 'taken') kill.abort();
    if (stop.reason === 'cancelled') setTimeout(() => kill.abort(), CANCELLED_MS).unref();
  };
  if (stop.aborted) stopped();
  stop.addEventListener('abort', stopped, { once: true });
  return kill.signal;
}
