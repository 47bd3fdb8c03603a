import { createReadStream } from 'node:fs';
import fastify from 'fastify';
import { expect, it } from 'vitest';
import { rangeOf, sendRange } from './send-range.js';

it.each([
  [undefined, undefined],
  ['bytes=0-9', { start: 0, end: 9 }],
  ['bytes=90-', { start: 90, end: 99 }],
  ['bytes=-5', { start: 95, end: 99 }],
  ['bytes=-500', { start: 0, end: 99 }],
  ['bytes=50-500', { start: 50, end: 99 }],
  ['bytes=99-99', { start: 99, end: 99 }],
  ['bytes=100-', 'none'],
  ['bytes=-0', 'none'],
  ['bytes=9-5', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,5-6', undefined],
  ['rows=0-1', undefined],
])('of 100 bytes, %s is %j', (header, range) => {
  expect(rangeOf(header, 100)).toEqual(range);
});

it('who asks for the head alone has its length, and the file is not read', async () => {
  const server = fastify();
  let opened = 0;
  server.get('/file', (request, reply) =>
    sendRange(request, reply, {
      path: import.meta.filename,
      name: 'file',
      type: 'text/plain',
      open: (path, range) => {
        opened += 1;
        return createReadStream(path, range);
      },
    }),
  );
  const head = await server.inject({ method: 'HEAD', url: '/file' });
  expect([head.statusCode, head.body, opened]).toEqual([200, '', 0]);
  const whole = await server.inject({ method: 'GET', url: '/file' });
  expect(head.headers['content-length']).toBe(String(whole.rawPayload.length));
  const part = await server.inject({ method: 'HEAD', url: '/file', headers: { range: 'bytes=2-5' } });
  expect([part.statusCode, part.headers['content-length'], opened]).toEqual([206, '4', 1]);
  await server.close();
});
