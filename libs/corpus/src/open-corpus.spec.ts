import { expect, test } from 'vitest';

import { inFolder, joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import type { CorpusOptions } from './corpus-options.js';
import { openCorpus } from './open-corpus.js';

function read(name: string, content: string | Uint8Array, options: Partial<CorpusOptions> = {}) {
  return withFile(name, content, async (path) =>
    joined(await readChunks(openCorpus({ paths: [path], ...options }))),
  );
}

function reasons({ rejects }: Awaited<ReturnType<typeof read>>): [number, string][] {
  return rejects.map(({ row, reason }) => [row, reason]);
}

test.each<[string, string, string[]]>([
  ['LF', '{"text":"a"}\n{"text":"b"}\n', ['a', 'b']],
  ['CRLF', '{"text":"a"}\r\n{"text":"b"}\r\n', ['a', 'b']],
  ['no last line end', '{"text":"a"}\n{"text":"b"}', ['a', 'b']],
  ['a byte order mark', '\uFEFF{"text":"a"}\n', ['a']],
  ['blank lines', '\n \t\r\n{"text":"a"}\n\n\n{"text":"b"}\n\n', ['a', 'b']],
  ['line separators that are none', '{"text":"a\u2028b\u0085c"}\n', ['a\u2028b\u0085c']],
  ['NUL', '{"text":"\\u0000"}\n', ['\0']],
  ['a lone surrogate', '{"text":"x\\ud800y\\ud83d\\ude00"}\n', ['x\uFFFDy😀']],
  ['a field that comes twice', '{"text":1,"text":"last"}\n', ['last']],
  ['a __proto__ field', '{"__proto__":{"text":"no"},"text":"yes"}\n', ['yes']],
  ['nothing', '', []],
])('jsonl with %s', async (_, content, texts) => {
  const got = await read('a.jsonl', content);
  expect(got.texts).toEqual(texts);
  expect(got.rejects).toEqual([]);
});

test.each([
  ['little-endian', (text: string) => Buffer.from(text, 'utf16le')],
  ['big-endian', (text: string) => Buffer.from(text, 'utf16le').swap16()],
])('UTF-16, %s, is refused with and without its mark', async (_, encoded) => {
  for (const text of ['{"text":"a"}\n', '\uFEFF{"text":"a"}\n']) {
    await expect(read('a.jsonl', encoded(text))).rejects.toThrow(/it is UTF-16/);
  }
  expect((await read('a.txt', 'a\0bc\0\nd')).texts).toEqual(['a\0bc\0', 'd']);
});

test('each bad row of JSON lines is rejected with its reason, the others are read', async () => {
  const lines: [string | Buffer, string | undefined][] = [
    ['{"text":"first"}', undefined],
    ['{"text":', 'unparseable'],
    ['[1]', 'not-an-object'],
    ['null', 'not-an-object'],
    ['{"body":"x"}', 'no-text-field'],
    ['{"__proto__":{"text":"x"}}', 'no-text-field'],
    ['{"text":5}', 'text-not-string'],
    ['{"text":null}', 'text-not-string'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'invalid-utf8'],
    [`{"text":"${'x'.repeat(2000)}"}`, 'too-long'],
    ['['.repeat(900), 'unparseable'],
    ['{"text":"last"}', undefined],
  ];
  const content = Buffer.concat(lines.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')]));
  const got = await read('a.jsonl', content, { maxRowBytes: 1000 });
  expect(got.texts).toEqual(['first', 'last']);
  expect(reasons(got)).toEqual(
    lines.flatMap(([, reason], index) => (reason === undefined ? [] : [[index + 1, reason]])),
  );
});

test('JSON that is nested 100,000 deep is a row like any other', async () => {
  const deep = `{"text":"a","deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n{"text":"b"}\n`;
  expect((await read('a.jsonl', deep)).texts).toEqual(['a', 'b']);
});

test('the message of a reject says what was expected and what came', async () => {
  const got = await read('a.jsonl', '{"text":"a"}\n{"id":1,"body":"x"}\n{"text":false}\n');
  expect(got.rejects.map(({ message }) => message)).toEqual([
    'expected the field "text", got id, body',
    'expected a string in the field "text", got the boolean false',
  ]);
});

test.each<[string, string, Partial<CorpusOptions>, string[]]>([
  ['csv', 'id,text\n1,a\n2,"b, ""c"""\n', {}, ['a', 'b, "c"']],
  ['csv', 'id,text\r\n1,"a\r\nb"\r\n2,c', {}, ['a\r\nb', 'c']],
  ['csv', '\uFEFF"text"\n"a"\n\n""\n', {}, ['a', '']],
  ['csv', 'text,label\nit"s,x\n"a"\r\n', { labelField: 'label' }, ['it"s']],
  ['csv', '1,a\n2,b\n', { header: false, textField: '2' }, ['a', 'b']],
  ['tsv', 'text\tlabel\na, b\t1\n"c\td"\t0\n', {}, ['a, b', 'c\td']],
  ['tsv', 'text\tlabel\n"a\tx\n\nb "c"\t"\n', { quotes: false }, ['"a', 'b "c"']],
  ['txt', 'a\r\n\n"b\nc', {}, ['a', '', '"b', 'c']],
  ['txt', '\uFEFFa\0\n', {}, ['a\0']],
])('%s %j', async (format, content, options, texts) => {
  expect((await read(`a.${format}`, content, options)).texts).toEqual(texts);
});

test('a table without any whole record has rejected rows only', async () => {
  const got = await read('a.csv', Buffer.from([0x31, 0x2c, 0xff, 0x0a, 0x22]), {
    header: false,
    textField: '2',
  });
  expect(reasons(got)).toEqual([
    [1, 'invalid-utf8'],
    [2, 'unclosed-quote'],
  ]);
});

test('a row with too many or too few columns is rejected', async () => {
  const got = await read('a.csv', 'id,text\n1,a\n2\n3,b,c\n4,d\n');
  expect(got.texts).toEqual(['a', 'd']);
  expect(got.rejects).toEqual([
    { row: 2, reason: 'wrong-columns', message: 'expected 2 columns, got 1' },
    { row: 3, reason: 'wrong-columns', message: 'expected 2 columns, got 3' },
  ]);
});

test.each<[string, string, string[], [number, string][]]>([
  ['one line', '1,a\n2,"b\n3,c\n4,"d"\n', ['a', 'c', 'd'], [[2, 'unclosed-quote']]],
  ['the last line', '1,a\n2,"b\n3,c\n', ['a', 'c'], [[2, 'unclosed-quote']]],
  ['the last line without its end', '1,a\n2,"b', ['a'], [[2, 'unclosed-quote']]],
  ['something behind the closing quote', '1,"a"x\n2,b\n', ['b'], [[1, 'unclosed-quote']]],
  ['the second line of a record', '"1\n",a\n"2\n","b\n3,c\n', ['a', 'c'], [[2, 'unclosed-quote']]],
  ['a carriage return behind the closing quote', '1,"a"\rx\n2,b\n', ['b'], [[1, 'unclosed-quote']]],
])('a broken quote costs its own line: %s', async (_, body, texts, rejected) => {
  const got = await read('a.csv', `id,text\n${body}`);
  expect(got.texts).toEqual(texts);
  expect(reasons(got)).toEqual(rejected);
});

test('a broken quote is found however far its end is, and does not depend on the longest row', async () => {
  const lines = Array.from({ length: 500 }, (_, index) => `${index},good ${index}`);
  const content = `id,text\n1,"broken\n${lines.join('\n')}\n`;
  for (const maxRowBytes of [30, 1000, 1 << 20]) {
    const got = await read('a.csv', content, { maxRowBytes, readBytes: 64 });
    expect(got.texts).toHaveLength(500);
    expect(reasons(got)).toEqual([[1, 'unclosed-quote']]);
  }
});

test('a quoted field of many lines that is too long is one row', async () => {
  const got = await read('a.csv', `id,text\n1,"${'line\n'.repeat(500)}"\n2,b\n`, { maxRowBytes: 100 });
  expect(got.texts).toEqual(['b']);
  expect(reasons(got)).toEqual([[1, 'too-long']]);
});

test('a field that every object inherits is no field of the row', async () => {
  const content = '{"constructor":"a"}\n{"x":1}\n';
  const got = await read('a.jsonl', content, { textField: 'constructor' });
  expect(got.texts).toEqual(['a']);
  expect(reasons(got)).toEqual([[2, 'no-text-field']]);
});

test('pairs and labels are columns beside the texts', async () => {
  const content = '{"a":"1","b":"2","y":"pos"}\n{"a":"3","y":1}\n{"a":"5","b":6}\n{"a":"7","b":"8"}\n';
  const options = { textField: 'a', pairField: 'b', labelField: 'y' };
  const [chunk] = await withFile('a.jsonl', content, (path) =>
    readChunks(openCorpus({ paths: [path], ...options })),
  );
  expect(chunk).toMatchObject({ texts: ['1', '7'], pairs: ['2', '8'], golds: ['pos', undefined] });
  expect(chunk?.rejects.map(({ reason }) => reason)).toEqual(['no-pair-field', 'pair-not-string']);
});

test('limit reads the first rows only', async () => {
  const content = Array.from({ length: 10 }, (_, row) => `{"text":"${row}"}\n`).join('');
  const got = await read('a.jsonl', content, { limit: 5, chunkRows: 2 });
  expect(got.texts).toEqual(['0', '1', '2', '3', '4']);
});

test('a chunk is full when its records reach chunkBytes', async () => {
  const content = Array.from({ length: 10 }, (_, row) => `{"text":"${row}"}\n`).join('');
  const chunks = await withFile('a.jsonl', content, (path) =>
    readChunks(openCorpus({ paths: [path], chunkBytes: 30 })),
  );
  expect(chunks.map(({ rows }) => rows)).toEqual([3, 3, 3, 1]);
});

test.each<[string, string, string | Uint8Array, Partial<CorpusOptions>, RegExp]>([
  ['an unknown extension', 'a.dat', '', {}, /Say which it is: jsonl, csv, tsv/],
  [
    'no such field in a header',
    'a.csv',
    'id,body\n1,a\n',
    {},
    /no "text" among the columns, which are: id, body/,
  ],
  [
    'no such field in JSON',
    'a.jsonl',
    '{"id":1,"body":"a"}\n',
    {},
    /no "text" in the first rows, .* id, body/,
  ],
  ['no such field to keep', 'a.csv', 'id,text\n', { fields: ['ID'] }, /no "ID" among the columns/],
  [
    'a column by name without header',
    'a.csv',
    '1,a\n',
    { header: false },
    /which are: 1, 2\. Say which is the text/,
  ],
  [
    'a header for JSON',
    'a.jsonl',
    '',
    { header: true },
    /header is an option of csv and tsv; the format is jsonl/,
  ],
  ['no header', 'a.csv', '', {}, /expected a header line, found none/],
  ['a broken header', 'a.csv', 'id,"text\n1,a\n', {}, /header is broken/],
  ['a column twice', 'a.csv', 'text,text\n', {}, /names the column "text" twice/],
  [
    'too many columns',
    'a.csv',
    `text,${'x'
      .repeat(10_000)
      .split('')
      .map((x, column) => x + column)
      .join(',')}\n`,
    {},
    /it has 10001 columns, more than the 10000 that are allowed\. Allow more \(--max-columns\)/,
  ],
  [
    'too many columns without header',
    'a.tsv',
    'a\tb\n',
    { header: false, textField: '1', maxColumns: 1 },
    /has 2 columns/,
  ],
  ['UTF-16', 'a.txt', Buffer.from('\uFEFFa', 'utf16le'), {}, /UTF-16/],
  ['a limit of nothing', 'a.txt', '', { limit: 0 }, /limit must be a whole number from 1; got 0/],
])('does not open %s', async (_, name, content, options, message) => {
  await expect(read(name, content, options)).rejects.toThrow(message);
});

test('does not open what is no file', async () => {
  await inFolder(async (folder) => {
    await expect(openCorpus({ paths: [folder], format: 'txt' })).rejects.toThrow(/not a regular file/);
    await expect(openCorpus({ paths: [`${folder}/none.txt`] })).rejects.toThrow(/ENOENT/);
  });
});
