import { setTimeout as sleep } from 'node:timers/promises';
import type { ProducerPorts } from './producer-ports.js';

const AGAIN_MS = 200;
const ANSWERS_WITHIN_MS = 5000;

/** Waits until a producer of this machine takes runs. @throws the signal's reason */
export async function producerReady({ api, admin }: ProducerPorts, signal: AbortSignal): Promise<void> {
  const isReady = async (): Promise<boolean> =>
    (await statusOf(`http://127.0.0.1:${admin}/health/ready`)) === 200 &&
    // Its API listens a little later; without a key it may answer anything.
    (await statusOf(`http://127.0.0.1:${api}/`)) !== undefined;
  while (!(await isReady())) await sleep(AGAIN_MS, undefined, { signal });
}

/** @returns undefined where nothing answers */
async function statusOf(url: string): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return undefined;
  }
}
