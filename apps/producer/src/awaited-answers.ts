import type { FastifyInstance } from 'fastify';

/**
 * Keeps connections open on which an answer is awaited. A server closes those that are silent for its `connectionTimeout`, as this
 * one is whose request has come whole: it may take minutes until thousands of uploaded files are on a disk far away, and the run
 * would be submitted and nobody know.
 *
 * @param silentMs the server's `connectionTimeout`, which counts again from the answer on
 */
export function keepAwaited(server: FastifyInstance, silentMs: number): void {
  server.addHook('onRequest', async ({ raw }) => {
    raw.once('end', () => raw.socket.setTimeout(0));
  });
  server.addHook('onSend', async ({ raw }) => {
    raw.socket.setTimeout(silentMs);
  });
}
