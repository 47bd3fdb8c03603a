import { expect, test } from 'vitest';

import type { ByteSource } from './byte-source.js';
import { QuotedGrammar } from './quoted-grammar.js';
import { readRawChunk } from './raw-chunk.js';
import { isWhiteSpace, lineGrammar } from './record-grammar.js';
import { RecordSplitter } from './record-splitter.js';

/** `before`, many times `x`, `after`. */
class LongSource implements ByteSource {
  readonly path = 'long';
  readonly bytes: number;
  constructor(
    readonly before: string,
    readonly long: number,
    readonly after: string,
  ) {
    this.bytes = before.length + long + after.length;
  }

  read(target: Buffer, position: number): Promise<number> {
    const end = Math.min(this.bytes, position + target.length);
    for (let at = position; at < end; at++) {
      const inAfter = at - this.before.length - this.long;
      const text = inAfter >= 0 ? this.after[inAfter] : this.before[at];
      target[at - position] = text?.charCodeAt(0) ?? 0x78;
    }
    return Promise.resolve(end - position);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const limits = { maxRowBytes: 1 << 20, readBytes: 1 << 18 };
const long = 50_000_000;

test.each([
  ['a line', lineGrammar(isWhiteSpace), 'a\n', '\nb\n', 'too-long'],
  ['a quoted field', new QuotedGrammar(','), 'a\n"', '"\nb\n', 'too-long'],
  ['a line with a broken quote', new QuotedGrammar(','), 'a\n"', '"x\nb\n', 'unclosed-quote'],
  ['a quote that is never closed', new QuotedGrammar(','), 'a\n"\nb\n', '', 'unclosed-quote'],
])('50 MB of %s are passed by in bounded memory', async (_, grammar, before, after, reason) => {
  const source = new LongSource(before, long, after);
  const splitter = new RecordSplitter(source, 0, grammar, limits);
  const raw = await readRawChunk(splitter, 1, { rows: 3, bytes: Infinity }, false);
  expect(raw.bytes.toString()).toBe('a\nb\n');
  expect(raw.rejects).toMatchObject([{ row: 2, reason }]);
  expect(splitter.heldBytes).toBeLessThanOrEqual(limits.maxRowBytes + limits.readBytes + 2);
  expect(raw.bytes.buffer.byteLength).toBeLessThan(1 << 17);
});
