import type { FastifyInstance, FastifyRequest } from 'fastify';
import { answerAtLoopbackOnly, plainHost } from '#metrics/loopback-only.js';

/** Methods that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what pages of other sites make a browser send. The cookie of a session is SameSite=Strict, but without keys
 * nothing is asked of who comes from this machine: such a producer answers to names of loopback alone.
 */
export function refuseForeignPages(server: FastifyInstance, hasKeys: boolean): void {
  if (!hasKeys) answerAtLoopbackOnly(server, 'Make keys with sluice key.');
  server.addHook('onRequest', async (request, reply) => {
    if (!isForeign(request)) return;
    return reply
      .code(403)
      .send({ error: { code: 'foreign-page', message: 'A page of another site sent this.' } });
  });
}

/** Whether a page of another origin sent a request that changes something. Only browsers send these headers. */
function isForeign({ method, headers, host }: FastifyRequest): boolean {
  if (SAFE.has(method)) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Over http, and not at loopback, browsers leave that out.
  const { origin } = headers;
  return (
    origin !== undefined && (!URL.canParse(origin) || plainHost(new URL(origin).host) !== plainHost(host))
  );
}
