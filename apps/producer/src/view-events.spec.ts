import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import fastify from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { sendViewEvents } from './view-events.js';

interface View {
  readonly number: number;
  readonly isOver: boolean;
  readonly rest: string;
}

let server: FastifyInstance;
let socket: Socket;
afterEach(async () => {
  socket.destroy();
  server.server.closeAllConnections();
  await server.close();
});

const SILENT_MS = 3000;

/** @param view made anew for each look */
async function serve(view: () => View, signMs?: number): Promise<number> {
  server = fastify({ connectionTimeout: SILENT_MS });
  const look = (): Promise<View> => Promise.resolve(view());
  server.get('/events', (request, reply) =>
    sendViewEvents(request, reply, look, ({ isOver }) => !isOver, signMs),
  );
  await server.listen();
  const address: AddressInfo | string | null = server.server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** Of a connection that nobody reads yet. */
async function listen(port: number, method = 'GET'): Promise<void> {
  socket = connect(port, '127.0.0.1');
  socket.write(`${method} /events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  await sleep(10);
}

/** All that comes, until the connection ends. */
async function rest(): Promise<string> {
  let text = '';
  socket.on('error', () => undefined);
  for await (const piece of socket.setEncoding('utf8')) text += String(piece);
  return text;
}

const numbersOf = (text: string): number[] =>
  Array.from(text.matchAll(/^data: \{"number":(\d+)/gm), ([, number]) => Number(number));

it('each view that is new is told, and the last one', async () => {
  let looks = 0;
  const port = await serve(() => {
    looks += 1;
    const number = Math.ceil(looks / 2);
    return { number, isOver: number === 3, rest: '\n\n' };
  });
  await listen(port);
  const text = await rest();
  expect(text).toContain('content-type: text/event-stream');
  expect(numbersOf(text)).toEqual([1, 2, 3]);
});

it('a reader that falls behind misses views between, and they wait nowhere', async () => {
  const bytes = 2 ** 24;
  let looks = 0;
  let isOver = false;
  const port = await serve(() => ({ number: (looks += 1), isOver, rest: 'x'.repeat(bytes) }));
  await listen(port);
  // What the system takes for a reader is no more than a few views; time enough for a dozen.
  await sleep(1500);
  const before = looks;
  // Not for so long that the connection is taken for dead.
  await sleep(1500);
  expect(looks).toBe(before);
  isOver = true;
  const numbers = numbersOf(await rest());
  expect(numbers.length).toBeLessThanOrEqual(before + 1);
  expect(numbers.at(-1)).toBe(looks);
});

it('a reader that takes nothing is closed, and nothing is looked at for it any more', async () => {
  let looks = 0;
  const port = await serve(() => ({ number: (looks += 1), isOver: false, rest: 'x'.repeat(2 ** 24) }));
  const closed = new Promise<void>((resolve) => {
    server.server.once('connection', (connection: Socket) => connection.once('close', resolve));
  });
  await listen(port);
  await closed;
  const before = looks;
  await sleep(1200);
  expect(looks).toBe(before);
});

it('a reader that waits is kept by signs of life', async () => {
  const begun = performance.now();
  const port = await serve(
    () => ({
      number: 1,
      isOver: performance.now() - begun > 2.5 * SILENT_MS,
      rest: '',
    }),
    1000,
  );
  await listen(port);
  const text = await rest();
  expect(numbersOf(text)).toEqual([1, 1]);
  expect(text).toMatch(/(^:\r?\n\r?\n[^:]*){3}/m);
});

it('who asks for the head alone has it at once', async () => {
  let looks = 0;
  const port = await serve(() => ({ number: (looks += 1), isOver: false, rest: '' }));
  await listen(port, 'HEAD');
  expect(await rest()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*text\/event-stream[^]*\r\n\r\n$/);
  await sleep(700);
  expect(looks).toBe(1);
});
