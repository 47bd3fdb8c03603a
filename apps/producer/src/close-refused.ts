import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** A sender that was refused is heard for so long at most, and for so many bytes, ms and bytes. */
const HEARD_MS = 2000;
const HEARD_BYTES = 16 * 2 ** 20;

/**
 * Ends connections whose request is answered before all of it has come, such as an upload that is refused. Node would read
 * the rest of it, or wait for what nobody reads.
 */
export function closeRefused(server: FastifyInstance): void {
  server.addHook('onSend', async ({ raw }, reply) => {
    if (raw.complete || !hasBody(raw)) return;
    void reply.header('connection', 'close');
    // Bytes that reach a closed socket are answered with a reset, which takes the answer from a sender that has yet to read it.
    raw.socket.destroySoon = () => endAfterAnswer(raw);
  });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Says that nothing more comes, and drops what the sender still sends until it has seen that. */
function endAfterAnswer(request: IncomingMessage): void {
  const { socket } = request;
  socket.end();
  const end = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(end, HEARD_MS);
  socket.once('close', () => clearTimeout(timer));
  // Else a request behind this one would be begun.
  request.once('end', end);
  request.unpipe();
  let bytes = 0;
  request.on('data', (block: Buffer) => {
    bytes += block.length;
    if (bytes > HEARD_BYTES) request.pause();
  });
  request.resume();
}
