import type { FastifyInstance } from 'fastify';
import type { Metrics } from '#metrics/metrics.js';

const RETRY_AFTER_S = 2;

/** Turns requests away while as many as may be are answered, and counts and times all of them. */
export function limitRequests(server: FastifyInstance, most: number, metrics: Metrics): void {
  let active = 0;
  const counted = new WeakSet<object>();
  server.addHook('onRequest', async (request, reply) => {
    if (active >= most) {
      const message = `The producer answers ${most} requests at the same time, and has as many. Try again.`;
      return reply
        .code(503)
        .header('retry-after', RETRY_AFTER_S)
        .send({ error: { code: 'busy', message } });
    }
    active += 1;
    counted.add(request.raw);
  });
  // Fires once the answer is out, or its reader gone.
  server.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      if (!counted.delete(request.raw)) return;
      active -= 1;
      const route = request.routeOptions.url ?? 'none';
      metrics.count('requests_total', { route, status: String(reply.statusCode) });
      metrics.observe('request_seconds', { route }, reply.elapsedTime / 1000);
    });
  });
}
