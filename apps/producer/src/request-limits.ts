import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '#metrics/metrics.js';

const RETRY_AFTER_S = 2;
/** Who asked did not wait for the answer, as nginx has it. */
const GONE = 499;

export interface RequestLimits {
  /** Requests that are answered at the same time. */
  readonly requestsActive: number;
  /** Streams of events beside them, which last as long as somebody looks. */
  readonly streamsActive: number;
}

/** Turns requests away while as many as may be are answered, and counts and times all of them. */
export function limitRequests(server: FastifyInstance, limits: RequestLimits, metrics: Metrics): void {
  const active = { requestsActive: 0, streamsActive: 0 };
  const counted = new WeakMap<object, keyof RequestLimits>();
  server.addHook('onRequest', async (request, reply) => {
    const kind = isStream(request) ? 'streamsActive' : 'requestsActive';
    const most = limits[kind];
    if (active[kind] >= most) {
      const message =
        kind === 'requestsActive'
          ? `The producer answers ${most} requests at the same time, and has as many. Try again.`
          : `The producer has ${most} streams of events open, and no more may be. Ask for the run itself, or try again.`;
      return reply
        .code(503)
        .header('retry-after', RETRY_AFTER_S)
        .send({ error: { code: 'busy', message } });
    }
    active[kind] += 1;
    counted.set(request.raw, kind);
  });
  // Fires once the answer is out, or its reader gone.
  server.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      const kind = counted.get(request.raw);
      if (kind === undefined) return;
      counted.delete(request.raw);
      active[kind] -= 1;
      const route = request.routeOptions.url ?? 'none';
      const isGone = kind === 'requestsActive' && !reply.raw.writableFinished;
      metrics.count('requests_total', { route, status: String(isGone ? GONE : reply.statusCode) });
      metrics.observe('request_seconds', { route }, reply.elapsedTime / 1000);
    });
  });
}

function isStream({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.endsWith('/events') ?? false;
}
