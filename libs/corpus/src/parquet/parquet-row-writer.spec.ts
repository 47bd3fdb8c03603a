import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { LabelColumns } from '#pipeline/columns.js';
import { inFolder, joined, readChunks } from '../../../../test/corpus-on-disk.js';
import type { CorpusOptions } from '../corpus-options.js';
import { JsonFields } from '../json-fields.js';
import { openCorpus } from '../open-corpus.js';
import { createRowWriter } from '../row-writer.js';
import type { LeafType } from './leaf-type.js';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/parquet');
const ADDED = '"label":"ham","confidence":0.9,"exit_layer":2,"uncertainty":0.1';

/** Every row is ham at exit 2, with round figures. */
function labelled(rows: number): LabelColumns {
  return {
    rows,
    classes: 2,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows).fill(2),
    uncertainty: new Float32Array(rows).fill(0.1),
    probabilities: Float32Array.from({ length: 2 * rows }, (_, index) => (index % 2 === 0 ? 0.9 : 0.1)),
  };
}

interface Written {
  readonly bytes: Buffer;
  /** Rows as they are read back. */
  readonly records: readonly string[];
  readonly types: ReadonlyMap<string, LeafType>;
}

/** Labels a corpus, writes it as Parquet and reads that again. */
function written(
  name: string,
  content: string | Uint8Array,
  options: Partial<CorpusOptions> & { blockBytes?: number; probabilities?: boolean } = {},
): Promise<Written> {
  return inFolder(async (folder) => {
    const { blockBytes = 1000, probabilities = false, ...reading } = options;
    await writeFile(join(folder, name), content);
    const corpus = await openCorpus({ paths: [join(folder, name)], ...reading });
    const labels = ['ham', 'spam'];
    const writer = createRowWriter({
      ...reading,
      format: 'parquet',
      fields: corpus.fields,
      labels,
      probabilities,
    });
    if (!('merge' in writer)) throw new Error('Expected a writer that merges.');
    const parts = [writer.head()];
    for await (const chunk of corpus.chunks()) parts.push(writer.rows(chunk, labelled(chunk.texts.length)));
    await corpus.close();
    const rows = Buffer.concat(parts);
    const merged: Buffer[] = [];
    for await (const block of writer.merge(() => blocksOf(rows, blockBytes))) merged.push(Buffer.from(block));
    const bytes = Buffer.concat(merged);
    const path = join(folder, 'out.parquet');
    await writeFile(path, bytes);
    const back = await openCorpus({ paths: [path], textField: 'label' });
    const types = back.fields.types ?? new Map();
    const { records, rejects } = joined(await readChunks(Promise.resolve(back)));
    expect(rejects).toEqual([]);
    return { bytes, records: records.map(String), types };
  });
}

async function* blocksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const string = { kind: 'string' };
const int64 = { kind: 'integer', bits: 64, signed: true };

describe('columns of JSON lines', () => {
  it.each<[string, string[], string[], object]>([
    ['strings', ['"a"', '"\\u00e9\\ud83d\\ude00"', '""'], ['"a"', '"é😀"', '""'], string],
    ['booleans', ['true', 'null', 'false'], ['true', 'null', 'false'], { kind: 'boolean' }],
    [
      'whole numbers',
      ['1', '-9223372036854775808', '9223372036854775807'],
      ['1', '-9223372036854775808', '9223372036854775807'],
      int64,
    ],
    ['numbers', ['1', '0.1', '-1e-7', '-0', '1.50'], ['1', '0.1', '-1e-7', '-0', '1.5'], { kind: 'double' }],
    ['whole numbers beyond 64 bits', ['1', '9223372036854775808'], ['"1"', '"9223372036854775808"'], string],
    ['numbers that no double holds', ['0.5', '9007199254740993'], ['"0.5"', '"9007199254740993"'], string],
    ['numbers beyond all', ['1e400', '1'], ['"1e400"', '"1"'], string],
    [
      'values of several kinds',
      ['"1"', '1', '{"a": [1.0]}'],
      [String.raw`"\"1\""`, '"1"', String.raw`"{\"a\": [1.0]}"`],
      string,
    ],
    ['lists', ['[1,2]', 'null'], ['"[1,2]"', 'null'], string],
    ['nothing', ['null', 'null'], ['null', 'null'], string],
  ])('that hold %s', async (_, values, expected, type) => {
    const content = values.map((value, row) => `{"text":"t${row}","value":${value}}\n`).join('');
    const { records, types } = await written('in.jsonl', content);
    expect(records).toEqual(expected.map((value, row) => `{"text":"t${row}","value":${value},${ADDED}}`));
    expect(types.get('value')).toEqual(type);
    expect(types.get('exit_layer')).toEqual({ kind: 'integer', bits: 32, signed: true });
    expect(types.get('confidence')).toEqual({ kind: 'float' });
  });

  it('may come late, be missing, come twice, and have the names of what is added', async () => {
    const content =
      '{"text":"a","label":7,"__proto__":1}\n{"text":"b","late":2,"late":3}\n{"late":4,"text":"c","input_label":"x"}\n';
    const { records } = await written('in.jsonl', content, { chunkRows: 1 });
    expect(records).toEqual([
      `{"text":"a","input_label":"7","__proto__":1,"late":null,${ADDED}}`,
      `{"text":"b","input_label":null,"__proto__":null,"late":3,${ADDED}}`,
      `{"text":"c","input_label":"\\"x\\"","__proto__":null,"late":4,${ADDED}}`,
    ]);
  });

  it('hold every value exactly, whatever the rows', async () => {
    const value = fc.oneof(
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: 'grapheme' }),
      fc.constant(null),
      fc.array(fc.integer(), { maxLength: 2 }),
    );
    const fieldsOf = new JsonFields();
    // Columns of one kind, and of any.
    const row = fc.record(
      {
        any: value,
        number: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        flag: fc.boolean(),
        whole: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 300 }),
        async (rows, blockBytes) => {
          const content = rows.map((fields) => jsonLine({ text: 't', ...fields })).join('');
          const { records } = await written('in.jsonl', content, { blockBytes, chunkRows: 3 });
          expect(records).toHaveLength(rows.length);
          for (const [index, fields] of rows.entries()) {
            fieldsOf.scan(records[index]!);
            for (const name of ['any', 'number', 'flag', 'whole'] as const) {
              const wanted = fields[name] ?? null;
              const at = fieldsOf.names.indexOf(name);
              const found = at < 0 ? 'null' : fieldsOf.value(at);
              expect(holds(found, wanted), `${name}: ${String(wanted)} became ${found}`).toBe(true);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are refused where they are more than allowed', async () => {
    const content = '{"text":"a"}\n'.repeat(1000) + '{"text":"a","b":1,"c":2}\n';
    await expect(written('in.jsonl', content, { maxColumns: 2 })).rejects.toMatchObject({
      name: 'TooManyColumnsError',
      message: expect.stringMatching(
        /^A parquet output would have 3 columns, because the rows have so many fields;/,
      ),
    });
  });
});

function jsonLine(fields: object): string {
  const json = JSON.stringify(fields, (_, value: unknown) =>
    typeof value === 'bigint' ? `#${value}#` : value,
  );
  return `${json.replaceAll(/"#(-?\d+)#"/g, '$1')}\n`;
}

/** Whether the JSON of a written value stands for the one that went in. */
function holds(json: string, wanted: unknown): boolean {
  const text = jsonLine([wanted]).slice(1, -2);
  // Numbers that no type holds are strings of their digits, values of columns of several kinds their JSON.
  if (json === text || json === JSON.stringify(text)) return true;
  return typeof wanted === 'number' && Number(json.replaceAll('"', '')) === wanted;
}

describe('columns of Parquet', () => {
  it('keep their types and values', async () => {
    const content = await readFile(join(fixtures, 'types.parquet'));
    const { records, types } = await written('in.parquet', content, { chunkRows: 2 });
    const rows = (await readFile(join(fixtures, 'types.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(records).toEqual(rows.map((row) => `${row.slice(0, -1)},${ADDED}}`));
    const original = await openCorpus({ paths: [join(fixtures, 'types.parquet')] });
    await original.close();
    for (const [name, type] of original.fields.types!) expect([name, types.get(name)]).toEqual([name, type]);
  });

  it('are JSON where they are lists and groups', async () => {
    const { records, types } = await written('in.parquet', await readFile(join(fixtures, 'nested.parquet')));
    const rows = (await readFile(join(fixtures, 'nested.jsonl'), 'utf8')).trimEnd().split('\n');
    const names = ['list', 'points', 'point', 'map', 'deep'];
    for (const [index, row] of rows.entries()) {
      const back: Record<string, string | null> = JSON.parse(records[index]!);
      const wanted: Record<string, unknown> = JSON.parse(row);
      for (const name of names) expect(JSON.parse(back[name] ?? 'null')).toEqual(wanted[name]);
      expect(back['text']).toBe(wanted['text']);
    }
    expect(names.map((name) => types.get(name))).toEqual(names.map(() => string));
  });
});

describe('a Parquet output', () => {
  it('of a table has strings', async () => {
    const { records } = await written('in.csv', 'text,n\n"a\n""b""",01\n,\n', { probabilities: true });
    expect(records).toEqual([
      String.raw`{"text":"a\n\"b\"","n":"01",${ADDED},"probability_ham":0.9,"probability_spam":0.1}`,
      `{"text":"","n":"",${ADDED},"probability_ham":0.9,"probability_spam":0.1}`,
    ]);
  });

  it('without rows is a Parquet file with columns', async () => {
    const { records, types } = await written('in.csv', 'text,n\n');
    expect(records).toEqual([]);
    expect([...types.keys()]).toEqual(['text', 'n', 'label', 'confidence', 'exit_layer', 'uncertainty']);
  });

  it('has the same bytes however its rows were cut into chunks and blocks', async () => {
    const content = Array.from({ length: 200 }, (_, n) => `{"text":"t${n}","n":${n / 4}}\n`).join('');
    const one = await written('in.jsonl', content, { chunkRows: 7, blockBytes: 13 });
    const other = await written('in.jsonl', content, { chunkRows: 1000, blockBytes: 100_000 });
    expect(one.bytes.equals(other.bytes)).toBe(true);
  });
});

test('a row group is written when it is full', async () => {
  const content = '{"text":"t","n":1}\n'.repeat(70_000);
  const { records, bytes } = await written('in.jsonl', content, { blockBytes: 1 << 16 });
  expect(records).toHaveLength(70_000);
  expect(new Set(records)).toEqual(new Set([`{"text":"t","n":1,${ADDED}}`]));
  await inFolder(async (folder) => {
    const path = join(folder, 'out.parquet');
    await writeFile(path, bytes);
    const chunks = await readChunks(openCorpus({ paths: [path], chunkRows: 1 << 20 }));
    expect(chunks.map(({ rows }) => rows)).toEqual([65_536, 4464]);
  });
});
