import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { completeLines, readRecord, recordLine } from './record-line.js';

const isRecord = (value: unknown): value is { text: string } => typeof value === 'object';

it('reads back what it wrote, on one line', () => {
  fc.assert(
    fc.property(fc.record({ text: fc.string({ unit: 'binary' }), more: fc.jsonValue() }), (record) => {
      const line = recordLine(record);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(readRecord(line.slice(0, -1), isRecord)).toEqual(JSON.parse(JSON.stringify(record)));
    }),
  );
});

it('sees through every cut and every changed character', () => {
  const line = recordLine({ text: 'row', chunk: 12 }).slice(0, -1);
  for (let at = 0; at < line.length; at += 1) {
    const flipped = String.fromCodePoint(line.codePointAt(at)! ^ 1);
    expect(readRecord(line.slice(0, at), isRecord)).toBeUndefined();
    expect(readRecord(line.slice(0, at) + flipped + line.slice(at + 1), isRecord)).toBeUndefined();
  }
});

it('gives the lines that end, across blocks, and leaves out a torn last one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lines-'));
  try {
    const lines = ['a'.repeat(100_000), '', 'é'.repeat(50_000)];
    await writeFile(join(folder, 'lines'), `${lines.join('\n')}\ntorn`);
    expect(await Readable.from(completeLines(join(folder, 'lines'))).toArray()).toEqual(lines);
    expect(await Readable.from(completeLines(join(folder, 'none'))).toArray()).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
