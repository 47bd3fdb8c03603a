import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivationStore, StageTransport } from './fleet-ports.js';

/** Between two looks, ms. */
const LOOK_MS = 500;

export interface RoomParts {
  readonly activations: Pick<ActivationStore, 'hasRoom'>;
  readonly transport: Pick<StageTransport, 'hasJobs'>;
  /** Hears at each look that rows wait for what others do. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Resolves when rows may leave activations: there is room for them, or no job behind them that would make any.
 * However long that takes: rows that entered a full store would keep those behind them from being worked off.
 *
 * @param bytes of the activations
 * @param behind the stages that take them, 0-based
 * @throws the signal's reason
 */
export async function waitForRoom(
  bytes: number,
  behind: readonly number[],
  { activations, transport, onWait }: RoomParts,
  signal: AbortSignal,
): Promise<void> {
  while (!(await activations.hasRoom(bytes)) && (await transport.hasJobs(behind))) {
    signal.throwIfAborted();
    onWait?.();
    await sleep(LOOK_MS);
  }
  signal.throwIfAborted();
}
