/** What a chunk that waits for the fleet is said to take, beside what is in it: the same rows of every format. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { expect, it } from 'vitest';
import { openCorpus } from '#corpus/open-corpus.js';
import { heldBytes } from '#pipeline/fleet/held-bytes.js';
import type { CorpusChunk } from '#pipeline/ports.js';
import { inFolder, readChunks } from './corpus-on-disk.js';

const ROWS = 300;
const CHUNK_ROWS = 100;
const texts = Array.from({ length: ROWS }, (_, row) => `text ${row}`);
/** Of every row: a Parquet file holds it once. */
const fat = 'other things '.repeat(400);

const files: Record<string, () => string | Promise<Uint8Array>> = {
  'rows.jsonl': () => texts.map((text) => `${JSON.stringify({ text, fat })}\n`).join(''),
  'rows.csv': () => `text,fat\n${texts.map((text) => `${text},${fat}\n`).join('')}`,
  'rows.parquet': async () => {
    const writer = new ByteWriter();
    const parquet = new ParquetWriter({
      writer,
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'fat', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      ],
    });
    const columnData = [
      { name: 'text', data: texts },
      { name: 'fat', data: texts.map(() => fat) },
    ];
    await parquet.write({ columnData, rowGroupSize: ROWS });
    await parquet.finish();
    return writer.getBytes();
  },
};

/** Characters of all that a chunk has of its rows. */
function charactersOf({ texts: own, records }: CorpusChunk): number {
  return [...own, ...records.flat()].reduce<number>((sum, each) => sum + String(each).length, 0);
}

it.each(Object.keys(files))('%s', async (name) => {
  await inFolder(async (folder) => {
    const path = join(folder, name);
    await writeFile(path, await files[name]!());
    const options = { paths: [path], chunkRows: CHUNK_ROWS, textField: 'text' };
    const chunks = await readChunks(openCorpus(options));
    expect(chunks).toHaveLength(ROWS / CHUNK_ROWS);
    for (const chunk of chunks) {
      const ratio = heldBytes(chunk) / charactersOf(chunk);
      expect([ratio >= 0.99, ratio < 1.2], `${ratio}`).toEqual([true, true]);
    }
    // A chunk that is read once more takes as much.
    const corpus = await openCorpus(options);
    const { chunk, firstRow, rows, range } = chunks[1]!;
    const again = await corpus.reread({ chunk, firstRow, rows, range });
    await corpus.close();
    expect(heldBytes(again)).toBe(heldBytes(chunks[1]!));
  });
});
