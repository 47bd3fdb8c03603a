import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepAwaited } from './awaited-answers.js';

const SILENT_MS = 300;
let server: FastifyInstance;
let port: number;
beforeEach(async () => {
  server = fastify({ connectionTimeout: SILENT_MS });
  keepAwaited(server, SILENT_MS);
  server.post('/stored', async () => {
    await sleep(4 * SILENT_MS);
    return { id: 'run' };
  });
  port = Number(new URL(await server.listen({ port: 0 })).port);
});
afterEach(() => server.close());

const body = JSON.stringify({ text: 'a' });
const head = `POST /stored HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

/** What comes back until the connection ends. */
async function send(text: string): Promise<{ answer: string; ms: number }> {
  const begun = performance.now();
  const socket = connect({ port, host: 'localhost' });
  let answer = '';
  socket.on('data', (block: Buffer) => (answer += block.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return { answer, ms: performance.now() - begun };
}

it('who has sent all waits for the answer, however long it takes, and is let go when silent after it', async () => {
  const { answer, ms } = await send(head + body);
  expect(answer).toContain('{"id":"run"}');
  expect(ms).toBeGreaterThan(4 * SILENT_MS);
});

it('who stops in the middle of a request is let go', async () => {
  const { ms } = await send(head + body.slice(1));
  expect(ms).toBeLessThan(3 * SILENT_MS);
});
