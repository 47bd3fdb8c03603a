import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of loopback that nothing listens at now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new TypeError('Expected a port of a TCP server.');
  return address.port;
}
