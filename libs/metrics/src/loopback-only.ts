import type { FastifyInstance } from 'fastify';

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '[::1]', 'localhost']);

/** Whether a server that listens at this host is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host);
}

/** Names of hosts ignore case, and may end with a dot. @param host with a port, or without */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.(?=:|$)/, '');
}

/**
 * Refuses requests for other names than those of loopback. A server that lets in whoever comes from this machine is for
 * its people, and any page that they look at comes from it: another name may have been pointed here by its owner.
 * @param advice what to do for other names
 */
export function answerAtLoopbackOnly(server: FastifyInstance, advice: string): void {
  server.addHook('onRequest', async ({ hostname }, reply) => {
    if (isLoopback(plainHost(hostname))) return;
    const message = `This answers at localhost only, not at ${JSON.stringify(hostname)}. ${advice}`;
    return reply.code(403).send({ error: { code: 'foreign-page', message } });
  });
}
