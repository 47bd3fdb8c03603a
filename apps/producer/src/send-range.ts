import type { ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface SentFile {
  readonly path: string;
  /** Under which it is saved. */
  readonly name: string;
  readonly type: string;
  readonly open: (path: string, range: { readonly start: number; readonly end: number }) => ReadStream;
}

/** Answers with a file, or with the one range of bytes of it that is asked for (RFC 9110, 14.2). */
export async function sendRange(
  { headers, method }: FastifyRequest,
  reply: FastifyReply,
  { path, name, type, open }: SentFile,
): Promise<void> {
  const { size, mtimeMs } = await stat(path);
  const tag = `"${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"`;
  const isSame = headers['if-range'] === undefined || headers['if-range'] === tag;
  const range = isSame ? rangeOf(headers.range, size) : undefined;
  void reply.headers({
    'accept-ranges': 'bytes',
    'content-type': type,
    'content-disposition': `attachment; filename="${name}"`,
    etag: tag,
  });
  if (range === 'none') {
    await reply.code(416).header('content-range', `bytes */${size}`).send();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range !== undefined) void reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  void reply.header('content-length', end - start + 1);
  // Of a stream whose bytes nobody gets, Fastify keeps the length that is told, and reads it to its end.
  if (method === 'HEAD') await reply.send(Readable.from([]));
  else await (size === 0 ? reply.send('') : reply.send(open(path, { start, end })));
}

/** @returns undefined for the whole file: no range was asked for, or several; `none` where it has no such bytes */
export function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'none' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'none' : { start, end };
}
