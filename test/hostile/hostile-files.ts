import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, open, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CorpusExpected } from './corpus-case.js';
import { corpusCase, labelArgs, mebibytes, writePieces } from './corpus-case.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

const PEAK_MIB = 700;
/** Every text leaves at the first exit, so that large corpora take little time. */
const fast = ['--speed', '1'];
const good = '{"text":"hello"}\n';

/** 1,000 rows of 10 kB, some of which open a quote. */
function* tableWithOpenQuotes(rows: readonly number[]): Generator<string> {
  yield 'text,id\n';
  for (let row = 1; row <= 1000; row++) {
    yield rows.includes(row) ? '"never closed,0\n' : `${'plain words '.repeat(830)},${row}\n`;
  }
}

function openQuotes(name: string, ...rows: readonly number[]): HostileCase {
  return corpusCase(name, 'quote.csv', tableWithOpenQuotes(rows), {
    options: fast,
    rows: 1000,
    rejects: { 'unclosed-quote': rows.length },
    peakMiB: PEAK_MIB,
  });
}

function longLine(
  file: string,
  [before, inside, after]: readonly [string, string, string],
  reason = 'too-long',
): HostileCase {
  function* content(): Generator<string | Buffer> {
    yield before;
    yield* mebibytes(200, inside);
    yield after;
  }
  return corpusCase(`a line of 200 MB: ${file}`, file, content(), {
    rows: 3,
    rejects: { [reason]: 1 },
    peakMiB: PEAK_MIB,
  });
}

/** Not a file that holds rows: refused at once. */
function refused(
  name: string,
  corpus: string,
  says: RegExp,
  make: HostileCase['make'] = async () => {},
): HostileCase {
  return { name, make, steps: [{ args: labelArgs(corpus, '--format', 'jsonl'), exit: 1, says }] };
}

const columns = Array.from({ length: 100_000 }, (_, index) => `c${index}`);

function wideTable(exit: 0 | 1, says?: RegExp, ...options: string[]): HostileCase {
  const table = [`text,${columns.join()}\n`, `a${',1'.repeat(100_000)}\n`, 'b,1\n'];
  const rows = exit === 0 ? { rows: 2, rejects: { 'wrong-columns': 1 } } : {};
  return corpusCase('100,001 columns', 'wide.csv', table, {
    exit,
    options,
    peakMiB: PEAK_MIB,
    ...rows,
    ...(says && { says }),
  });
}

const contents: HostileCase[] = [
  openQuotes('a quote that never closes, at the start of 10 MB', 1),
  openQuotes('three of them, at the start, in the middle and at the end', 1, 500, 1000),
  corpusCase(
    'a quote opened in each of 50,000 rows',
    'quotes.csv',
    ['text,id\n', '"open,1\n'.repeat(50_000)],
    {
      rows: 50_000,
      rejects: { 'unclosed-quote': 50_000 },
      peakMiB: PEAK_MIB,
    },
  ),
  longLine('long.jsonl', [`${good}{"text":"`, 'x', `"}\n${good}`]),
  longLine('quoted.csv', ['text\na\n"', 'x', '"\nb\n']),
  wideTable(1, /has 100001 columns, more than the 10000 that are allowed/),
  wideTable(0, undefined, '--max-columns', '100001'),
  corpusCase(
    '50,000 fields in each of 10 rows, to csv',
    'wide.jsonl',
    `{"text":"x"${columns
      .slice(0, 50_000)
      .map((name) => `,"${name}":1`)
      .join('')}}\n`.repeat(10),
    { exit: 1, says: /csv output would have 50001 columns/, options: ['--out', 'out.csv'] },
  ),
  corpusCase(
    'fields __proto__ and constructor as text and label',
    'proto.jsonl',
    '{"__proto__":"a","constructor":"spam"}\n{"x":1}\n',
    {
      options: ['--text-field', '__proto__', '--label-field', 'constructor'],
      rows: 2,
      rejects: { 'no-text-field': 1 },
    },
  ),
  corpusCase('a column twice', 'twice.csv', 'text,id,text\na,1,b\n', { exit: 1, says: /"text" twice/ }),
  corpusCase('a header that does not close its quote', 'header.csv', '"text,id\na,1\n', {
    exit: 1,
    says: /header is broken/,
  }),
  corpusCase('UTF-16 with a byte order mark', 'utf16.jsonl', Buffer.from(`\uFEFF${good}`, 'utf16le'), {
    exit: 1,
    says: /UTF-16/,
  }),
  corpusCase('UTF-16 without one', 'utf16.txt', Buffer.from('hello\nworld\n', 'utf16le'), {
    exit: 1,
    says: /UTF-16/,
  }),
  corpusCase('only a header', 'header.csv', 'text,id\n', { rows: 0 }),
  corpusCase('an empty table', 'empty.csv', '', { exit: 1, says: /expected a header line, found none/ }),
  {
    name: 'an empty file, and one of nothing but line feeds',
    make: async (folder) => {
      await writeFile(join(folder, 'empty.jsonl'), '');
      await writeFile(join(folder, 'blank.jsonl'), '\n'.repeat(100_000));
    },
    steps: [{ args: labelArgs('empty.jsonl', 'blank.jsonl'), exit: 0, rows: 0 }],
  },
  {
    ...corpusCase('a line of 200 MB, of which no byte was written (sparse)', 'sparse.txt', '', {
      rows: 1,
      rejects: { 'too-long': 1 },
      peakMiB: PEAK_MIB,
    }),
    make: async (folder) => {
      await writeFile(join(folder, 'sparse.txt'), '');
      await truncate(join(folder, 'sparse.txt'), 200 * 2 ** 20);
    },
  },
];

const places: HostileCase[] = [
  refused('a missing file', 'missing.jsonl', /ENOENT/),
  refused('a folder', 'folder', /it is a folder/, async (folder) => {
    await mkdir(join(folder, 'folder'));
  }),
  refused('a pipe that nobody writes to', 'pipe', /not a regular file/, async (folder) => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
  }),
  refused('/dev/zero', '/dev/zero', /not a regular file/),
  refused('links in a circle', 'one', /ELOOP/, async (folder) => {
    await symlink('two', join(folder, 'one'));
    await symlink('one', join(folder, 'two'));
  }),
  {
    name: 'a file that may not be read',
    make: async (folder) => {
      await writeFile(join(folder, 'secret.jsonl'), good);
      await chmod(join(folder, 'secret.jsonl'), 0);
    },
    steps: [
      {
        args: labelArgs('secret.jsonl'),
        // Root reads everything, unless it gives that right away.
        under: () =>
          process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [],
        exit: 1,
        says: /EACCES/,
      },
    ],
  },
];

/** 1,000 rows of 10 kB, more than is read ahead. */
const slow: CorpusExpected = { options: [...fast, '--chunk-rows', '4'] };
const longRows = (word: string): string => `${word.repeat(Math.floor(10_000 / word.length))}\n`.repeat(1000);

function changing(name: string, steps: HostileCase['steps'], check?: HostileCase['check']): HostileCase {
  return {
    name,
    make: (folder) => writePieces(join(folder, 'rows.txt'), longRows('word ')),
    steps,
    ...(check && { check }),
  };
}

const args = labelArgs('rows.txt', ...slow.options!);

const changes: HostileCase[] = [
  changing('a file that grows while it is read, then the same command', [
    {
      args,
      exit: 0,
      rows: 1000,
      meanwhile: async (folder, said) => {
        expect(await said(/^labelling/m)).toBe(true);
        await appendFile(join(folder, 'rows.txt'), longRows('more '));
      },
    },
    { args, exit: 2, says: /files\.0\.bytes/ },
  ]),
  changing('a file that shrinks while it is read, then is restored', [
    {
      args,
      exit: 1,
      says: /changed: .* a shorter file/,
      meanwhile: async (folder, said) => {
        expect(await said(/^labelling/m)).toBe(true);
        await truncate(join(folder, 'rows.txt'), 5_000_000);
      },
    },
    {
      args,
      exit: 0,
      rows: 1000,
      before: (folder) => writePieces(join(folder, 'rows.txt'), longRows('word ')),
    },
  ]),
  changing('a file that is rewritten between a kill and the same command', [
    { args, exit: 'SIGKILL', env: { SLUICE_CRASH_AT: 'ok-renamed:3' } },
    { args, exit: 1, says: /changed: bytes/, before: (folder) => overwrite(join(folder, 'rows.txt')) },
  ]),
];

/** Other bytes in the first row, by one who leaves the size as it was. */
async function overwrite(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write('W', 0);
  await file.close();
}

export const hostileFiles: HostileSection[] = [
  { title: 'Corpora', cases: contents },
  { title: 'What is no file, or may not be read', cases: places },
  { title: 'Files that change', cases: changes },
];
