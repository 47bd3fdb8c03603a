import type { FastifyInstance } from 'fastify';
import { answerAtLoopbackOnly, isLoopback } from './loopback-only.js';
import type { Metrics } from './metrics.js';

/** What a service tells of itself. */
export interface ServiceHealth {
  /** Why it should be started again; `undefined` while it works. */
  problem(): string | undefined;
  /** Why it should get no work yet, or no more; `undefined` while it should. */
  notReady(): string | undefined;
}

/**
 * An admin server's routes: `/metrics` for Prometheus, `/health/live` and `/health/ready` for Kubernetes, `/health` for people.
 * @param host that it listens at; at loopback it answers to names of loopback alone
 * @param refresh brings gauges up to date before they are read
 */
export function adminRoutes(
  server: FastifyInstance,
  host: string,
  metrics: Metrics,
  health: ServiceHealth,
  refresh: () => Promise<void> = () => Promise.resolve(),
): void {
  if (isLoopback(host))
    answerAtLoopbackOnly(server, 'Set its host to one that others reach, and keep them out by network.');
  server.get('/metrics', async (_, reply) => {
    await refresh();
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  server.get('/health/live', (_, reply) => answer(reply, health.problem()));
  server.get('/health/ready', (_, reply) => answer(reply, health.problem() ?? health.notReady()));
  server.get('/health', (_, reply) => answer(reply, health.problem() ?? health.notReady()));
}

interface Reply {
  code(status: number): { send(body: unknown): unknown };
}

function answer(reply: Reply, problem: string | undefined): unknown {
  return problem === undefined
    ? reply.code(200).send({ status: 'ok' })
    : reply.code(503).send({ status: problem });
}
