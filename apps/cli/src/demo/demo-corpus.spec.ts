import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedFolder } from '../../../../test/shared-folder.js';
import type { DemoProgress, DemoRow } from './demo-corpus.js';
import { demoRows, writeDemoCorpus } from './demo-corpus.js';

describe('the demo corpus', () => {
  let folder: string;
  let bytes: Buffer;
  let rows: DemoRow[];
  const progress: DemoProgress[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
    await writeDemoCorpus(join(folder, 'mails.jsonl'), (step) => progress.push(step));
    bytes = await readFile(join(folder, 'mails.jsonl'));
    rows = bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('has each distinct mail once, in three splits', () => {
    expect(new Set(rows.map((row) => row.text)).size).toBe(rows.length);
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    expect(countBy(rows, (row) => row.split)).toEqual({ train: 3575, dev: 1149, test: 1185 });
    expect(countBy(rows, (row) => row.label)).toEqual({ ham: 4108, spam: 1801 });
  });

  it('has the same bytes everywhere', () => {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      'd0a8da4665a5fa89eb114e8688f3a97f846597dc9ee45d9f9130cbe37487e07b',
    );
  });

  it('says how far it is', () => {
    expect(progress.at(-1)).toEqual({ mailsRead: 6046, mails: 6046, rows: rows.length });
    expect(progress.length).toBeGreaterThan(100);
  });

  it('leaves no partial file', async () => {
    expect(await readdir(folder)).toEqual(['mails.jsonl']);
  });

  it('gives the first rows without reading all mails', async () => {
    let mailsRead = 0;
    for await (const row of demoRows((step) => (mailsRead = step.mailsRead))) {
      expect(row).toEqual(rows[0]);
      break;
    }
    expect(mailsRead).toBeLessThan(100);
  });

  it.skipIf(sharedFolder === undefined)('has the texts that the spam checkpoint was tried on', async () => {
    const expected = await readFile(join(sharedFolder ?? '', 'models/spam-fastbert/expected.jsonl'), 'utf8');
    const dev = new Map(rows.filter((row) => row.split === 'dev').map((row) => [row.text, row.label]));
    const tried = expected
      .trimEnd()
      .split('\n')
      .map((line): { text: string; label: string } => JSON.parse(line));
    expect(tried).toHaveLength(200);
    for (const { text, label } of tried) expect([text, dev.get(text)]).toEqual([text, label]);
  });
});

function countBy(rows: readonly DemoRow[], key: (row: DemoRow) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
  return counts;
}
