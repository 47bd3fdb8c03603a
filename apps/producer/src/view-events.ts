import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageEvent } from '@nestjs/common';
import { Observable } from 'rxjs';

/** Between two events, ms. */
const EVENT_MS = 500;

/**
 * What changes, as server-sent events: each view that differs from the one before, until nothing is under way any more.
 * @throws what `view` throws at first
 */
export async function viewEvents<View extends object>(
  view: () => Promise<View>,
  isUnderWay: (view: View) => boolean,
): Promise<Observable<MessageEvent>> {
  await view();
  return new Observable((subscriber) => {
    const tell = async (): Promise<void> => {
      let last = '';
      while (!subscriber.closed) {
        const now = await view();
        const data = JSON.stringify(now);
        if (data !== last) subscriber.next({ data });
        last = data;
        if (!isUnderWay(now)) return;
        await sleep(EVENT_MS, undefined, { ref: false });
      }
    };
    void tell()
      .catch(() => undefined)
      .then(() => subscriber.complete());
  });
}
