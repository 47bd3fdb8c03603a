import type { FastifyInstance } from 'fastify';
import { identify, noKey } from './api-guard.js';
import type { ApiKeys } from './api-keys.js';
import { hasBody } from './close-refused.js';

/** Where a key is sent in the body. */
const SESSION = '/v1/session';

/**
 * Refuses bodies of senders without a key. The guard of the routes would, too, but behind the body: it would be read and parsed
 * of everyone who reaches the port.
 */
export function refuseStrangers(server: FastifyInstance, keys: ApiKeys): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!hasBody(request.raw) || request.routeOptions.url === SESSION) return;
    if (identify(keys, request) !== undefined) return;
    const { status, code, message } = noKey(request);
    return reply.code(status).send({ error: { code, message } });
  });
}
