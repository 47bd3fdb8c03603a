import { once } from 'node:events';
import { createServer } from 'node:net';
import { UsageError } from '#run/usage-error.js';
import { freePort } from './free-port.js';

/** Where a producer of this machine listens. */
export interface ProducerPorts {
  readonly api: number;
  /** Metrics, health and queues. */
  readonly admin: number;
}

/**
 * The port and the next one; two that are free where it is 0.
 * @throws UsageError where something listens at one of them
 */
export async function producerPorts(port: number): Promise<ProducerPorts> {
  if (port === 0) return { api: await freePort(), admin: await freePort() };
  for (const [each, use] of [
    [port, 'the API'],
    [port + 1, 'metrics and queues'],
  ] as const) {
    if (await isTaken(each)) {
      throw new UsageError(
        `Port ${each}, for ${use}, is taken: another sluice dev or another program listens there. Name another one with --port.`,
      );
    }
  }
  return { api: port, admin: port + 1 };
}

async function isTaken(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return true;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return false;
}
