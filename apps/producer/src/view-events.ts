import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Between two looks, ms. */
const LOOK_MS = 500;
/** Between two signs of life while nothing changes, ms. A connection that is silent is closed, by the producer or a proxy. */
const SIGN_MS = 20_000;

/**
 * Answers with what changes, as server-sent events: each view that differs from the one before, until nothing is under way any
 * more. A reader that falls behind misses views between, never the last. One that takes nothing is closed like any silent
 * connection.
 * @throws what `view` throws at first
 */
export async function sendViewEvents<View extends object>(
  { method }: FastifyRequest,
  reply: FastifyReply,
  view: () => Promise<View>,
  isUnderWay: (view: View) => boolean,
  signMs = SIGN_MS,
): Promise<void> {
  await view();
  void reply.headers({
    'content-type': 'text/event-stream',
    'cache-control': 'private, no-cache, no-store, no-transform',
    // nginx would gather events.
    'x-accel-buffering': 'no',
  });
  // Views are looked for as the reader takes them: no more than one is ready before.
  const events = method === 'HEAD' ? '' : Readable.from(eventsOf(view, isUnderWay, reply.raw, signMs));
  await reply.send(events);
}

async function* eventsOf<View extends object>(
  view: () => Promise<View>,
  isUnderWay: (view: View) => boolean,
  response: ServerResponse,
  signMs: number,
): AsyncGenerator<string> {
  let last = '';
  let saidAt = 0;
  while (!response.destroyed) {
    // What was there at first may be deleted.
    const now = await view().catch(() => undefined);
    if (now === undefined) return;
    const data = JSON.stringify(now);
    if (data !== last || performance.now() - saidAt >= signMs) {
      yield data === last ? ':\n\n' : `data: ${data}\n\n`;
      saidAt = performance.now();
    }
    last = data;
    if (!isUnderWay(now)) return;
    await sleep(LOOK_MS, undefined, { ref: false });
  }
}
