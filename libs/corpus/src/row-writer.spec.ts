import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { LabelColumns } from '#pipeline/columns.js';

import { joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import type { CorpusOptions } from './corpus-options.js';
import { openCorpus } from './open-corpus.js';
import { createRowWriter } from './row-writer.js';

const labels = ['ham', 'sp"am'];

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
  out: string;
  leftOut?: [string, number][];
}

function write(
  to: 'jsonl' | 'csv',
  name: string,
  content: string,
  options: Partial<CorpusOptions> = {},
  probabilities = false,
): Promise<Written> {
  return withFile(name, content, async (path) => {
    const corpus = await openCorpus({ paths: [path], ...options });
    const writer = createRowWriter({ format: to, fields: corpus.fields, labels, probabilities });
    const parts = [writer.head()];
    for await (const chunk of corpus.chunks()) parts.push(writer.rows(chunk, labelled(chunk.texts.length)));
    await corpus.close();
    const out = Buffer.concat(parts).toString();
    return 'leftOut' in writer ? { out, leftOut: [...writer.leftOut] } : { out };
  });
}

const added = '"label":"ham","confidence":0.9,"exit_layer":2,"uncertainty":0.1';

test.each<[string, string, string]>([
  [
    'the fields as they are written',
    '{"id":12345678901234567890,"text":"\\u00e9é"}',
    '{"id":12345678901234567890,"text":"\\u00e9é",',
  ],
  ['white space', ' { "text" : "a" , "n" : 1.0 } ', '{ "text" : "a" , "n" : 1.0,'],
  ['a lone surrogate', '{"text":"\\ud800"}', '{"text":"\\ud800",'],
  [
    '__proto__ and doubled fields',
    '{"text":"a","__proto__":1,"x":1,"x":2}',
    '{"text":"a","__proto__":1,"x":1,"x":2,',
  ],
  ['a field of an added name', '{"label": "x","text":"a"}', '{"input_label": "x","text":"a",'],
  ['an escaped field of an added name', '{"\\u006cabel":"x","text":"a"}', '{"input_label":"x","text":"a",'],
  [
    'a field of both names',
    '{"label":1,"input_label":2,"text":"a"}',
    '{"input_input_label":1,"input_label":2,"text":"a",',
  ],
  [
    'a class name only where it is added',
    '{"probability_ham":1,"text":"a"}',
    '{"probability_ham":1,"text":"a",',
  ],
])('jsonl to jsonl keeps %s', async (_, line, expected) => {
  expect((await write('jsonl', 'a.jsonl', `${line}\n`)).out).toBe(`${expected}${added}}\n`);
});

test('jsonl with probabilities', async () => {
  const { out } = await write('jsonl', 'a.jsonl', '{"probability_ham":"x","text":"a"}\n', {}, true);
  expect(out).toBe(
    `{"input_probability_ham":"x","text":"a",${added},"probability_ham":0.9,"probability_sp\\"am":0.1}\n`,
  );
});

test('jsonl carries the chosen fields only', async () => {
  const content = '{"id": 1,"label":"x","text":"a"}\n{"text":"b"}\n';
  const { out } = await write('jsonl', 'a.jsonl', content, { fields: ['label', 'id'] });
  expect(out).toBe(`{"id": 1,"input_label":"x",${added}}\n{${added}}\n`);
});

test('tables become strings in jsonl, text a field', async () => {
  const table = await write('jsonl', 'a.csv', 'id,text,label\n01,"a ""b""\n",x\n');
  expect(table.out).toBe(`{"id":"01","text":"a \\"b\\"\\n","input_label":"x",${added}}\n`);
  expect((await write('jsonl', 'a.txt', 'a\n\n')).out).toBe(`{"text":"a",${added}}\n{"text":"",${added}}\n`);
  const some = await write('jsonl', 'a.csv', 'id,text\n01,a\n', { fields: ['id'] });
  expect(some.out).toBe(`{"id":"01",${added}}\n`);
});

const addedHead = 'label,confidence,exit_layer,uncertainty';
const addedCells = 'ham,0.9,2,0.1';

test('csv quotes what needs it', async () => {
  const { out } = await write('csv', 'a.tsv', 'id\ttext\tlabel\n1\ta, "b"\t\n2\t"x\ny"\tz\n', {}, true);
  expect(out).toBe(
    `id,text,input_label,${addedHead},probability_ham,"probability_sp""am"\n` +
      `1,"a, ""b""",,${addedCells},0.9,0.1\n2,"x\ny",z,${addedCells},0.9,0.1\n`,
  );
});

test('csv quotes a lone carriage return, which some readers take for a line end', async () => {
  const { out } = await write('csv', 'a.jsonl', '{"text":"a\\rb"}\n');
  expect(out).toBe(`text,${addedHead}\n"a\rb",${addedCells}\n`);
});

test('csv of JSON has the fields of the first rows as columns', async () => {
  const content =
    '{"id":12345678901234567890,"text":"a"}\nbad\n{"text":"b, c","tags":["x", "y"],"none":null}\n{"id":"\\u0041","text":"\\ud800"}\n';
  const { out, leftOut } = await write('csv', 'a.jsonl', content, { chunkRows: 1 });
  expect(out).toBe(
    `id,text,tags,none,${addedHead}\n12345678901234567890,a,,,${addedCells}\n` +
      `,"b, c","[""x"", ""y""]",,${addedCells}\nA,\uFFFD,,,${addedCells}\n`,
  );
  expect(leftOut).toEqual([]);
});

test('a field that first appears behind the first 1,000 rows is left out and counted; its row is written', async () => {
  const content = `${'{"text":"a"}\n'.repeat(1000)}${'{"text":"b","late":1}\n'.repeat(3)}`;
  const all = await write('csv', 'a.jsonl', content);
  expect(all.out.split('\n')[0]).toBe(`text,${addedHead}`);
  expect(all.out.match(/^b,/gm)).toHaveLength(3);
  expect(all.leftOut).toEqual([['late', 3]]);
  const chosen = await write('csv', 'a.jsonl', content, { fields: ['text'] });
  expect(chosen).toEqual({ out: all.out, leftOut: [] });
});

test('csv without any input field', async () => {
  const { out } = await write('csv', 'a.jsonl', '{"text":"a"}\n', { fields: [] });
  expect(out).toBe(`${addedHead}\n${addedCells}\n`);
});

test('csv that is safe in spreadsheets has apostrophes where a formula could stand, and numbers stay numbers', async () => {
  const content =
    '{"=n":"=1","text":"-a","x":-5,"y":"+3.2","z":[1],"label":"@x"}\n{"text":"a=b","x":"\\t"}\n';
  const out = await withFile('a.jsonl', content, async (path) => {
    const corpus = await openCorpus({ paths: [path] });
    const { fields } = corpus;
    const names = ['-ham', '=spam'];
    const writer = createRowWriter({
      format: 'csv',
      fields,
      labels: names,
      probabilities: true,
      spreadsheetSafe: true,
    });
    const parts = [writer.head()];
    for await (const chunk of corpus.chunks()) parts.push(writer.rows(chunk, labelled(chunk.texts.length)));
    await corpus.close();
    return Buffer.concat(parts).toString();
  });
  expect(out).toBe(
    `'=n,text,x,y,z,input_label,${addedHead},probability_-ham,probability_=spam\n` +
      `'=1,'-a,-5,+3.2,[1],'@x,'-ham,0.9,2,0.1,0.9,0.1\n,a=b,'\t,,,,'-ham,0.9,2,0.1,0.9,0.1\n`,
  );
});

test('csv of JSON with more fields than are allowed is refused, jsonl of it is not', async () => {
  const content = '{"text":"a","b":1}\n{"c":1,"text":"b"}\n';
  await withFile('a.jsonl', content, async (path) => {
    const corpus = await openCorpus({ paths: [path] });
    await corpus.close();
    const make = (format: 'jsonl' | 'csv', maxColumns: number) =>
      createRowWriter({ format, fields: corpus.fields, labels, probabilities: false, maxColumns });
    expect(() => make('csv', 2)).toThrow(/would have 3 columns, .*; 2 are allowed/);
    make('csv', 3);
    make('jsonl', 2);
  });
});

test('an added name that comes many times in a row is carried each time', async () => {
  const twice = ',"label":1'.repeat(50_000);
  const { out } = await write('jsonl', 'a.jsonl', `{"text":"a"${twice}}\n`);
  expect(out.match(/"input_label":1/g)).toHaveLength(50_000);
});

test('csv reads back as it was written, whatever the strings', async () => {
  const cell = fc.string({
    unit: fc.constantFrom('"', ',', '\n', '\r', '\t', ' ', 'a', 'é', '\0', '\u2028'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 10 }), async (rows) => {
      const content = rows.map(([text, other]) => `${JSON.stringify({ text, other })}\n`).join('');
      const { out } = await write('csv', 'a.jsonl', content);
      const { records } = await withFile('b.csv', out, async (path) =>
        joined(await readChunks(openCorpus({ paths: [path], fields: ['text', 'other'] }))),
      );
      expect(records).toEqual(rows);
    }),
  );
});
