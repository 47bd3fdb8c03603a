import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

import type { SourceRange } from '#pipeline/ports.js';

import { CorpusChangedError } from './corpus-errors.js';

/**
 * Compares standard input, if it is given, with ranges that follow one another from its first byte on.
 * @param total bytes that it must have; undefined where its end was not seen
 * @param contentOf turns its bytes into those that the ranges are of
 * @throws CorpusChangedError
 */
export async function expectGiven(
  stream: Readable,
  ranges: AsyncIterable<SourceRange> | Iterable<SourceRange>,
  total: number | undefined,
  contentOf: (blocks: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (blocks) => blocks,
): Promise<void> {
  if ('isTTY' in stream && stream.isTTY === true) return;
  const blocks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  const first = await blocks.next();
  if (first.done === true) return;
  let given = 0;
  const counted = following(first.value, blocks, (bytes) => (given += bytes));
  await expectBytes('Standard input', contentOf(counted), ranges, total !== undefined);
  if (total === undefined || given === total) return;
  const range = { start: 0, end: total };
  throw new CorpusChangedError('Standard input', range, `${total} bytes`, `${given} bytes`);
}

/** @param toTheEnd reads on behind the ranges */
async function expectBytes(
  path: string,
  blocks: AsyncIterable<Buffer>,
  ranges: AsyncIterable<SourceRange> | Iterable<SourceRange>,
  toTheEnd: boolean,
): Promise<void> {
  const reading = blocks[Symbol.asyncIterator]();
  let block: Buffer = Buffer.alloc(0);
  let position = 0;
  /** @returns false at the end */
  const read = async (): Promise<boolean> => {
    const next = await reading.next();
    if (next.done !== true) block = next.value;
    return next.done !== true;
  };
  try {
    for await (const range of ranges) {
      const hash = createHash('sha256');
      while (position < range.end && (block.length > 0 || (await read()))) {
        const part = block.subarray(0, range.end - position);
        hash.update(part);
        block = block.subarray(part.length);
        position += part.length;
      }
      const found = position < range.end ? `an end at byte ${position}` : hash.digest('hex');
      if (found !== range.sha256) throw new CorpusChangedError(path, range, range.sha256, found);
    }
    if (!toTheEnd) return;
    while (await read());
  } finally {
    await reading.return?.();
  }
}

/** A block that was read already, and the rest. */
export async function* following(
  first: Buffer,
  rest: AsyncIterator<Buffer>,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  try {
    onBytes(first.length);
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      onBytes(next.value.length);
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
