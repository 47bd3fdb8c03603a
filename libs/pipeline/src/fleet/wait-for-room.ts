import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivationStore, StageTransport } from './fleet-ports.js';

/** Between two looks, ms. */
const LOOK_MS = 500;

/**
 * Resolves when rows may leave activations: there is room for them, or no job behind them that would make any.
 * However long that takes: rows that entered a full store would keep those behind them from being worked off.
 *
 * @param behind the stages that take them, 0-based
 * @param onWait hears at each look that rows wait for what others do
 * @throws the signal's reason
 */
export async function waitForRoom(
  behind: readonly number[],
  activations: Pick<ActivationStore, 'hasRoom'>,
  transport: Pick<StageTransport, 'hasJobs'>,
  signal: AbortSignal,
  onWait?: () => void,
): Promise<void> {
  while (!(await activations.hasRoom()) && (await transport.hasJobs(behind))) {
    signal.throwIfAborted();
    onWait?.();
    await sleep(LOOK_MS);
  }
  signal.throwIfAborted();
}
