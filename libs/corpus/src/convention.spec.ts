import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { inFolder, joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import type { CorpusOptions } from './corpus-options.js';
import { openCorpus } from './open-corpus.js';

const single = { task: 'single', labels: ['bad', 'good'] } as const;
const pair = { task: 'pair', labels: ['no', 'yes'] } as const;

async function readFrom(options: CorpusOptions) {
  const corpus = await openCorpus(options);
  const { fields, convention } = corpus;
  const chunks = await readChunks(Promise.resolve(corpus));
  const golds = chunks.every((chunk) => chunk.golds === undefined)
    ? undefined
    : chunks.flatMap((chunk) => [...chunk.golds!]);
  const pairs = chunks.flatMap((chunk) => [...(chunk.pairs ?? [])]);
  return { ...joined(chunks), names: fields.names, notes: convention.notes, golds, pairs };
}

function read(name: string, content: string | Uint8Array, options: Partial<CorpusOptions> = {}) {
  return withFile(name, content, (path) => readFrom({ recognise: single, ...options, paths: [path] }));
}

describe('label<TAB>text without a header', () => {
  const content = '1\tfine\n0\t"not so\n\n1\ta "quote"\n';

  test.each<[string, string, string | Uint8Array]>([
    ['a tsv', 'a.tsv', content],
    ['with a byte order mark and carriage returns', 'a.tsv', `\uFEFF${content.replaceAll('\n', '\r\n')}`],
    ['compressed', 'a.tsv.gz', gzipSync(content)],
    ['with names of labels', 'a.tsv', content.replaceAll('1\t', 'good\t').replaceAll('0\t', 'bad\t')],
  ])('%s is recognised, and has no quotes', async (_, name, bytes) => {
    const got = await read(name, bytes);
    expect(got.texts).toEqual(['fine', '"not so', 'a "quote"']);
    expect(got.golds).toEqual(['good', 'bad', 'good']);
    expect(got.names).toEqual(['label', 'text']);
    expect(got.rejects).toEqual([]);
    expect(got.notes[0]).toMatch(/a\.tsv(\.gz)?: label<TAB>text without a header \(BitVoyage's convention\)/);
  });

  test('numbers of classes are said to be taken for labels', async () => {
    expect((await read('a.tsv', content)).notes[1]).toBe(
      'The labels in label are numbers of classes: 0 is bad, 1 is good.',
    );
  });

  test('is recognised on standard input, however it comes in', async () => {
    await inFolder(async (folder) => {
      const stream = Readable.from(Array.from(content, (character) => Buffer.from(character)));
      const stdin = { stream, spoolPath: join(folder, 'spool') };
      const got = await readFrom({ paths: ['-'], format: 'tsv', recognise: single, stdin });
      expect(got.texts).toEqual(['fine', '"not so', 'a "quote"']);
      expect(got.notes[0]).toMatch(/^Standard input: label<TAB>text/);
    });
  });

  test.each<[string, Partial<CorpusOptions>]>([
    ['who says header', { header: true }],
    ['who says no header', { header: false }],
    ['who names the text', { textField: 'fine' }],
    ['who names the label', { labelField: '1' }],
    ['who says quotes', { quotes: true }],
    ['who has no model', { recognise: undefined }],
  ])('is read as before for %s', async (_, options) => {
    const reading = read('a.tsv', content, options);
    if (options.textField === undefined)
      await expect(reading).rejects.toThrow(/there is no "text" among the columns/);
    else expect((await reading).notes).toEqual([]);
  });

  test.each<[string, string]>([
    ['a row of another number of columns', '1\ta\n0\tb\tc\n'],
    ['a row whose label is no class', '1\ta\n2\tb\n'],
    ['numbers that count rows', Array.from({ length: 5 }, (_, row) => `${row}\tx\n`).join('')],
    ['the line that pandas writes above columns without names', '0\t1\n1\tx\n'],
  ])('is not what has %s', async (_, bytes) => {
    await expect(read('a.tsv', bytes)).rejects.toThrow(/there is no "text" among the columns/);
  });

  test('is not csv, and not what is a header for a model with a label of its name', async () => {
    await expect(read('a.csv', '1,a\n0,b\n')).rejects.toThrow(/there is no "text"/);
    const recognise = { task: 'single', labels: ['label', 'other'] } as const;
    expect((await read('a.tsv', 'label\ttext\nother\tx\n', { recognise })).texts).toEqual(['x']);
  });

  test('of several files: the first decides, and the others must start with a row', async () => {
    await inFolder(async (folder) => {
      const files: [string, string][] = [
        ['a.tsv', '1\ta\n'],
        ['b.tsv', '0\tb\n1\tbb\n'],
        ['empty.tsv', ''],
        ['headed.tsv', 'label\ttext\n1\tc\n'],
      ];
      for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
      const paths = files.map(([name]) => join(folder, name));
      const got = await readFrom({ paths: paths.slice(0, 3), recognise: single });
      expect(got.texts).toEqual(['a', 'b', 'bb']);
      expect(got.golds).toEqual(['good', 'bad', 'good']);
      expect(got.notes).toHaveLength(2);
      await expect(readFrom({ paths, recognise: single })).rejects.toThrow(
        /headed\.tsv: expected label<TAB>text without a header, as the first file .* found "label\\ttext"/,
      );
    });
  });
});

describe('known names of fields', () => {
  test.each<[string, string, string]>([
    ['tsv of autoliuweijie', 'a.tsv', 'label\ttext_a\n1\t"fine\n0\tbad\n'],
    ['tsv of GLUE', 'a.tsv', 'sentence\tlabel\n"fine\t1\nbad\t0\n'],
    ['csv', 'a.csv', 'sentence,label\n"""fine",1\nbad,0\n'],
    ['jsonl', 'a.jsonl', '{"text_a":"\\"fine","label":1}\n{"text_a":"bad","label":"0"}\n'],
  ])('%s: text and label are read', async (_, name, content) => {
    const got = await read(name, content);
    expect(got.texts).toEqual(['"fine', 'bad']);
    expect(got.golds).toEqual(['good', 'bad']);
    expect(got.notes[0]).toMatch(
      /by the names of its fields, the text is (text_a|sentence) and the right label label;/,
    );
  });

  test('beside text nothing is recognised', async () => {
    const got = await read('a.tsv', 'label\ttext\ttext_a\n1\t"a\tb"\tc\n');
    expect(got).toMatchObject({ texts: ['a\tb'], golds: undefined, notes: [] });
  });

  test('a field that is named is not replaced', async () => {
    const content = 'text_a\tlabel\tother\nx\t1\t0\n';
    expect((await read('a.tsv', content, { labelField: 'other' })).golds).toEqual(['bad']);
    const named = await read('a.tsv', content, { textField: 'other' });
    expect(named).toMatchObject({ texts: ['0'], golds: undefined, notes: [] });
  });

  test.each<[string, string, string]>([
    ['tsv', 'a.tsv', 'label\ttext_a\ttext_b\n1\tone\t"two\n'],
    ['csv', 'a.csv', 'sentence1,sentence2,label\none,"""two",1\n'],
    ['jsonl', 'a.jsonl', '{"premise":"one","hypothesis":"\\"two","label":"yes"}\n'],
  ])('pairs of %s are read for a model of pairs', async (_, name, content) => {
    const got = await read(name, content, { recognise: pair });
    expect(got).toMatchObject({ texts: ['one'], pairs: ['"two'], golds: ['yes'] });
  });

  test('beside text a second text is recognised, and no label', async () => {
    const got = await read('a.csv', 'text,text_pair,label\none,two,1\n', { recognise: pair });
    expect(got).toMatchObject({ texts: ['one'], pairs: ['two'], golds: undefined });
  });

  test('a second text that is named brings the first with it', async () => {
    const content = 'text_a,text_b\none,two\n';
    const got = await read('a.csv', content, { recognise: pair, pairField: 'text_b' });
    expect(got).toMatchObject({ texts: ['one'], pairs: ['two'] });
  });

  test.each<[string, string]>([
    ['a.tsv', 'label\ttext_a\n1\tx\n'],
    ['b.tsv', '1\tx\n'],
    ['a.csv', 'text,label\nx,1\n'],
    ['a.jsonl', '{"text":"x"}\n'],
    ['b.jsonl', '[]\n'],
    ['a.txt', 'x\n'],
  ])('a model of pairs asks for the second text: %s', async (name, content) => {
    await expect(read(name, content, { recognise: pair })).rejects.toThrow(/--pair-field/);
  });

  test('a model of single texts says that a second one is not read', async () => {
    const got = await read('a.tsv', 'label\ttext_a\ttext_b\n1\tone\ttwo\n');
    expect(got.texts).toEqual(['one']);
    expect(got.notes[1]).toMatch(/text_b is not read, because the model labels single texts\.$/);
  });
});

describe('labels that are no labels of the model', () => {
  const content = 'sentence\tlabel\nx\t4\ny\t5\n';

  test('are left out where they were merely recognised, which is said', async () => {
    const got = await read('a.tsv', content);
    expect(got.golds).toBeUndefined();
    expect(got.notes[1]).toMatch(
      /^The labels in label are not the model's: found "4", "5", expected bad, good, or 0 to 1\./,
    );
  });

  test('stay where they were asked for', async () => {
    expect((await read('a.tsv', content, { labelField: 'label' })).golds).toEqual(['4', '5']);
  });

  test('numbers that are labels by themselves are no numbers of classes', async () => {
    const recognise = { task: 'single', labels: ['1', '0'] } as const;
    expect((await read('a.tsv', '1\tx\n0\ty\n', { recognise })).golds).toEqual(['1', '0']);
  });
});

const cell = fc.stringMatching(/^[ -~äß中"]{1,12}$/);
const label = fc.constantFrom('0', '1', 'good', 'bad');

test('a table with a usual header is never taken for one without', async () => {
  const headers = fc.uniqueArray(fc.constantFrom('label', 'text', 'id', 'y', 'text_b', 'body'), {
    minLength: 2,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(headers, fc.array(fc.tuple(label, cell)), async (names, rows) => {
      const lines = [names, ...rows].map((cells) => `${cells.join('\t')}\n`);
      await withFile('a.tsv', lines.join(''), async (path) => {
        const corpus = await openCorpus({ paths: [path], recognise: single }).catch(() => undefined);
        await corpus?.close();
        expect(corpus?.fields.names ?? names).toEqual(names);
        expect(corpus?.convention.reading ?? {}).toEqual({});
      });
    }),
    { numRuns: 200 },
  );
});

const outcome = (bytes: string | Uint8Array, options: Partial<CorpusOptions>) =>
  read('a.tsv', bytes, options).catch((error: Error) => error.name);

test('what is recognised depends on the bytes alone', async () => {
  const rows = fc.array(
    fc.tuple(fc.oneof({ weight: 30, arbitrary: label }, { weight: 1, arbitrary: cell }), cell),
    {
      minLength: 1,
      maxLength: 130,
    },
  );
  const readings = fc.record({
    readBytes: fc.integer({ min: 1, max: 40 }),
    chunkRows: fc.integer({ min: 1, max: 200 }),
  });
  await fc.assert(
    fc.asyncProperty(rows, readings, async (table, how) => {
      const content = table.map((cells) => `${cells.join('\t')}\n`).join('');
      const [one, other, zipped] = [
        await outcome(content, {}),
        await outcome(content, how),
        await outcome(gzipSync(content), how),
      ];
      const told = (got: typeof one) => (typeof got === 'string' ? got : { ...got, notes: got.notes.length });
      expect(told(other)).toEqual(told(one));
      expect(told(zipped)).toEqual(told(one));
    }),
    { numRuns: 100 },
  );
});
