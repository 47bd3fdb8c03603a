import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Methods that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Refuses what pages of other sites make a browser send. The cookie of a session is SameSite=Strict, but without keys
 * nothing is asked of who comes from this machine, and every page that its user looks at does: such a producer answers to
 * names of loopback alone, for any other name may have been pointed here by its owner.
 */
export function refuseForeignPages(server: FastifyInstance, hasKeys: boolean): void {
  server.addHook('onRequest', async (request, reply) => {
    const refused =
      !hasKeys && !LOOPBACK.has(request.hostname)
        ? `A producer without API keys answers at localhost only, not at ${JSON.stringify(request.hostname)}. Make keys with sluice key.`
        : isForeign(request)
          ? 'A page of another site sent this.'
          : undefined;
    if (refused === undefined) return;
    return reply.code(403).send({ error: { code: 'foreign-page', message: refused } });
  });
}

/** Whether a page of another origin sent a request that changes something. Only browsers send these headers. */
function isForeign({ method, headers, host }: FastifyRequest): boolean {
  if (SAFE.has(method)) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Over http, and not at loopback, browsers leave that out.
  const { origin } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}
