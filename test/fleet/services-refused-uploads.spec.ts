/** Uploads that are refused while they come: their senders hear why, and their connections end. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const GIGABYTE = 1e9;
const UPLOAD_BYTES = 1_000_000;
let folder: string;
let fleet: ServiceFleet;
let producer: Producer;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-refused-'));
  fleet = await ServiceFleet.start();
  const made = await runCli(['key', 'me', '--scope', 'admin', '--file', 'keys.json'], { cwd: folder });
  expect(made.end, made.stderr).toBe(0);
  key = made.stdout.trim();
  producer = await fleet.producer({
    SLUICE_PRODUCER_KEYS_FILE: join(folder, 'keys.json'),
    SLUICE_PRODUCER_LIMITS_BODY_BYTES: '100000',
    SLUICE_PRODUCER_LIMITS_UPLOAD_BYTES: String(UPLOAD_BYTES),
  });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

const FORM = 'multipart/form-data; boundary=between';
/** The beginning of one. */
const formOf = (model: string): string =>
  `--between\r\ncontent-disposition: form-data; name="options"\r\n\r\n{"model":"${model}"}\r\n` +
  '--between\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n';

interface Sent {
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
  readonly bytes: number;
  /** From the answer to the end of the connection. */
  readonly openMs: number;
}

/** Sends a gigabyte, whatever is answered, for as long as the connection takes it. */
function send(path: string, by: string, type: string, begin: string, pauseMs: number): Promise<Sent> {
  const { hostname, port, host } = new URL(producer.api);
  // Sends on though the producer has ended its side.
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  const block = Buffer.alloc(65_536, 'a');
  let [text, bytes, answeredAt] = ['', 0, 0];
  let timer: NodeJS.Timeout | undefined;
  const givingUp = setTimeout(() => socket.destroy(), 15_000);
  const sendOn = (): void => {
    while (!socket.destroyed && bytes < GIGABYTE) {
      bytes += block.length;
      const isTaken = socket.write(block);
      if (pauseMs > 0) {
        timer = setTimeout(sendOn, pauseMs);
        return;
      }
      if (isTaken) continue;
      socket.once('drain', sendOn);
      return;
    }
  };
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${by}\r\ncontent-type: ${type}\r\n` +
      `content-length: ${GIGABYTE}\r\n\r\n${begin}`,
  );
  sendOn();
  return new Promise((resolve) => {
    socket.on('data', (piece: Buffer) => {
      text += piece.toString();
      answeredAt ||= performance.now();
    });
    // Writing into a connection that is closed is one.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      clearTimeout(givingUp);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({
        status: Number(head.split(' ')[1]),
        connection: /^connection: (.*)$/im.exec(head)?.[1],
        body,
        bytes,
        openMs: performance.now() - answeredAt,
      });
    });
  });
}

describe.each([
  ['as fast as it can', 0],
  ['slowly', 20],
])('who sends a gigabyte %s', (_, pauseMs) => {
  it.concurrent.each([
    ['a wrong key', '/v1/runs', 'wrong', FORM, formOf('spam'), 401],
    ['a wrong key and a body that is too long', '/v1/classify', 'wrong', 'application/json', '', 401],
    ['a body that is too long', '/v1/runs', undefined, 'application/json', '', 413],
    ['a file that is too long', '/v1/runs', undefined, FORM, formOf('spam'), 413],
    ['a model that there is not', '/v1/runs', undefined, FORM, formOf('none'), 404],
    ['a training that is too long', '/v1/training', undefined, FORM, formOf('spam'), 400],
    ['a path that there is not', '/v1/none', undefined, FORM, formOf('spam'), 404],
    ['another type', '/v1/runs', undefined, 'application/octet-stream', '', 415],
  ])('with %s hears so, and no more is taken', async (_problem, path, by, type, begin, status) => {
    const sent = await send(path, by ?? key, type, begin, pauseMs);
    expect(sent).toMatchObject({ status, connection: 'close', body: expect.stringContaining('"message"') });
    expect(sent.openMs).toBeLessThan(5000);
    expect(sent.bytes).toBeLessThan(GIGABYTE / 10);
  });
});

it('fetch, which the command line uses, has the answer each time', async () => {
  const path = join(folder, 'large.txt');
  const file = await open(path, 'w');
  await file.truncate(GIGABYTE / 4);
  await file.close();
  for (let round = 0; round < 10; round += 1) {
    for (const [by, model, status] of [
      ['wrong', 'spam', 401],
      [key, 'none', 404],
      [key, 'spam', 413],
    ] as const) {
      const body = new FormData();
      body.set('options', JSON.stringify({ model }));
      body.set('file', await openAsBlob(path), 'large.txt');
      const headers = { authorization: `Bearer ${by}` };
      const answer = await fetch(`${producer.api}/v1/runs`, { method: 'POST', headers, body });
      expect([answer.status, await answer.json()]).toEqual([status, { error: expect.anything() }]);
    }
  }
  expect(
    await (await fetch(`${producer.api}/v1/session`, { headers: { authorization: `Bearer ${key}` } })).json(),
  ).toEqual({
    id: 'me',
    scope: 'admin',
  });
});

/** Two files, together as long as they may be with a second one of a hundred bytes. */
const twoFiles = (second: number): FormData => {
  const body = new FormData();
  body.set('options', JSON.stringify({ model: 'spam' }));
  body.append('file', new Blob(['a'.repeat(UPLOAD_BYTES - 100)]), 'a.txt');
  body.append('file', new Blob(['b'.repeat(second)]), 'b.txt');
  return body;
};

async function submitTwo(second: number): Promise<[number, unknown]> {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${producer.api}/v1/runs`, {
    method: 'POST',
    headers,
    body: twoFiles(second),
  });
  return [answer.status, await answer.json()];
}

it('files that are too long together are refused with the byte that is too much', async () => {
  expect(await submitTwo(100)).toEqual([201, expect.objectContaining({ files: ['a.txt', 'b.txt'] })]);
  expect(await submitTwo(101)).toEqual([
    413,
    { error: { code: 'too-large', message: expect.stringContaining(`b.txt is longer than the`) } },
  ]);
});
