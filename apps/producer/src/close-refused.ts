import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** A sender that has its answer is heard for so long at most, ms. */
const HEARD_MS = 2000;
/** Of what a sender sends behind its answer no more is taken. */
const HEARD_BYTES = 16 * 2 ** 20;

/**
 * Ends connections whose request is answered before all of it has come, such as an upload that is refused. Node would read
 * the rest of it, or wait for what nobody reads.
 */
export function closeRefused(server: FastifyInstance): void {
  server.addHook('onSend', async ({ raw }, reply) => {
    if (raw.complete || !hasBody(raw)) return;
    void reply.header('connection', 'close');
    dropRest(raw);
    const { socket } = raw;
    const close = socket.destroySoon.bind(socket);
    // Bytes that reach a closed socket are answered with a reset, which takes the answer from a sender that has yet to read it.
    socket.destroySoon = () => {
      // A request behind this one would be begun else.
      raw.once('end', close);
      if (raw.complete) close();
      else endWithin(raw, HEARD_MS);
    };
  });
}

/** Whether a request says that more than its head comes. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Before the answer is out: Node, else, drops all that ever comes, and no pause keeps it from reading. */
function dropRest(request: IncomingMessage): void {
  let bytes = 0;
  request.unpipe();
  request.on('data', (block: Buffer) => {
    bytes += block.length;
    if (bytes > HEARD_BYTES) request.pause();
  });
  request.resume();
}

/** Says that nothing more comes; a sender that has seen that closes the connection itself. */
function endWithin({ socket }: IncomingMessage, ms: number): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), ms);
  socket.once('close', () => clearTimeout(timer));
}
