import { gunzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import type { LabelColumns } from '#pipeline/columns.js';

import { withFile } from '../../../test/corpus-on-disk.js';
import { GzipWriter } from './gzip-writer.js';
import { openCorpus } from './open-corpus.js';
import { createRowWriter } from './row-writer.js';

function labelled(rows: number): LabelColumns {
  return {
    rows,
    classes: 2,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(2 * rows),
  };
}

test.each(['jsonl', 'csv'] as const)('%s in members, back to back, is the plain output', async (format) => {
  const content = Array.from({ length: 20 }, (_, row) => `{"id":${row},"text":"text ${row}"}\n`).join('');
  await withFile('a.jsonl', content, async (path) => {
    const corpus = await openCorpus({ paths: [path], chunkRows: 7 });
    const plain = createRowWriter({ format, fields: corpus.fields, labels: ['a', 'b'], probabilities: true });
    const packed = new GzipWriter(plain);
    expect(packed.format).toBe(`${format}.gz`);
    const [plainParts, packedParts, again] = [[plain.head()], [packed.head()], [packed.head()]];
    for await (const chunk of corpus.chunks()) {
      const labels = labelled(chunk.texts.length);
      plainParts.push(plain.rows(chunk, labels));
      packedParts.push(await packed.rows(chunk, labels));
      again.push(await packed.rows(chunk, labels));
    }
    await corpus.close();
    expect(packedParts).toHaveLength(4);
    for (const [index, part] of packedParts.entries()) expect(gunzipSync(part)).toEqual(plainParts[index]);
    expect(gunzipSync(Buffer.concat(packedParts))).toEqual(Buffer.concat(plainParts));
    // The same rows give the same bytes, whenever they are written: no time of day in a member.
    expect(again).toEqual(packedParts);
    for (const part of packedParts) expect(part.readUInt32LE(4)).toBe(0);
  });
});

test('no rows are a gzip file all the same', async () => {
  const writer = createRowWriter({
    format: 'jsonl',
    fields: { kind: 'json', names: [], chosen: false },
    labels: ['a', 'b'],
    probabilities: false,
  });
  expect(gunzipSync(new GzipWriter(writer).head()).length).toBe(0);
});
