import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AnswerForm } from '#pipeline/answer-form.js';
import { oneLabel } from '#pipeline/answer-form.js';
import type { CorpusChunk, LabelledRows } from '#pipeline/ports.js';
import { LeastCertainRows, readLeastCertain } from './least-certain-rows.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-least-certain-'));
  path = join(folder, 'rows.json');
});
afterEach(() => rm(folder, { recursive: true }));

const names = ['ham', 'spam'];

/** A chunk of rows from `firstRow` on, the row after the first of which is no row of the model. */
function chunkOf(firstRow: number, uncertainty: readonly number[]): [CorpusChunk, LabelledRows] {
  const rows = uncertainty.length;
  const texts = uncertainty.map((_, index) => `text ${firstRow} ${index}`);
  const range = { file: 0, start: 0, end: 0, sha256: '' };
  const rejects = [{ row: firstRow + 1, reason: 'unparseable', message: '' }];
  const labels = {
    rows,
    classes: 2,
    label: new Uint16Array(rows).fill(1),
    exitLayer: new Uint8Array(rows).fill(3),
    uncertainty: Float32Array.from(uncertainty),
    probabilities: Float32Array.from({ length: rows * 2 }, (_, index) => (index % 2 === 0 ? 0.25 : 0.75)),
  };
  const chunk = { chunk: 0, firstRow, rows: rows + 1, range, texts, records: texts, rejects };
  return [chunk, { labels, tokens: 0, truncated: 0 }];
}

const opened = (form: AnswerForm = oneLabel): Promise<LeastCertainRows> =>
  LeastCertainRows.open(path, names, form);

describe('the least certain rows of a run', () => {
  it('are fifty, the most uncertain first, whatever the order of the chunks, and on disk', async () => {
    const chunks = Array.from({ length: 9 }, (_, chunk) =>
      chunkOf(
        1 + chunk * 21,
        Array.from({ length: 20 }, (_, index) => (((chunk * 20 + index) * 37) % 101) / 101),
      ),
    );
    const rows = await opened();
    await Promise.all(chunks.toReversed().map((chunk) => rows.note(...chunk)));
    const all = chunks
      .flatMap(([{ firstRow }, { labels }]) =>
        Array.from(labels.uncertainty, (uncertainty, index) => ({
          row: firstRow + (index === 0 ? 0 : index + 1),
          uncertainty,
        })),
      )
      .sort((a, b) => b.uncertainty - a.uncertainty || a.row - b.row);
    expect(rows.rows.map(({ row, uncertainty }) => ({ row, uncertainty }))).toEqual(all.slice(0, 50));
    expect(rows.rows[0]).toMatchObject({ labels: ['spam'], confidence: 0.75, exitLayer: 3 });
    expect(await readLeastCertain(path)).toEqual(rows.rows);
  });

  it('count once where a chunk is labelled again, also by another process', async () => {
    const chunk = chunkOf(1, [0.5, 0.9]);
    await (await opened()).note(...chunk);
    const again = await opened();
    await again.note(...chunk);
    expect(again.rows.map(({ row }) => row)).toEqual([3, 1]);
  });

  it('have no row that the model could not take, and the beginning of long texts alone', async () => {
    const [chunk, labelled] = chunkOf(1, [0, 0.9]);
    const rows = await opened();
    const texts = ['', `${'x'.repeat(399)}\u{1F600}`];
    await rows.note(
      { ...chunk, texts },
      { ...labelled, rejected: [{ index: 0, reason: 'r', message: 'm' }] },
    );
    expect(rows.rows.map(({ row, text }) => [row, text])).toEqual([[3, `${'x'.repeat(399)}…`]]);
  });

  it('have the labels that reach their thresholds, and are none of a regression', async () => {
    const several = await opened({ problem: 'multi-label', thresholds: [0.2, 0.8] });
    await several.note(...chunkOf(1, [0.4]));
    expect(several.rows[0]).toMatchObject({ labels: ['ham'] });
    await rm(path);
    const numbers = await opened({ problem: 'regression' });
    await numbers.note(...chunkOf(1, [0.4]));
    expect(numbers.rows).toEqual([]);
  });
});
