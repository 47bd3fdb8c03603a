import { gzipSync } from 'node:zlib';
import { dataPage, parquetFile, plainStrings, textFile, thriftStruct } from '../forged-parquet.js';
import { corpusCase } from './corpus-case.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

const rows = Buffer.from(Array.from({ length: 3000 }, (_, row) => `{"text":"row ${row * row}"}\n`).join(''));
const whole = gzipSync(rows);
const changed = Buffer.from(whole);
changed[changed.length >> 1]! ^= 0x10;
const bomb = (): Buffer => gzipSync(Buffer.concat([Buffer.from('a\n'), Buffer.alloc(200 * 2 ** 20)]));

const page = dataPage(2, plainStrings('one', 'two'));
const table = (claims: Partial<Parameters<typeof textFile>[0]>): Buffer =>
  textFile({ rows: 2, pages: page, ...claims });
const elsewhere = thriftStruct({
  1: 1,
  2: [
    { 4: 'root', 5: 1 },
    { 1: 6, 3: 0, 4: 'text' },
  ],
  3: 2,
  4: [{ 1: [{ 1: '/etc/passwd', 2: 0 }], 3: 2 }],
});

const refused = (name: string, file: string, content: Buffer, says: RegExp): HostileCase =>
  corpusCase(name, file, content, { exit: 1, says });

export const hostileArchives: HostileSection = {
  title: 'gzip and Parquet',
  cases: [
    corpusCase('a bomb: 200 MB in 200 kB', 'bomb.txt.gz', bomb(), {
      exit: 1,
      says: /bomb\.txt\.gz/,
      peakMiB: 700,
    }),
    refused('a file that was cut short', 'cut.jsonl.gz', whole.subarray(0, -100), /cut\.jsonl\.gz/),
    refused('a bit that flipped', 'flipped.jsonl.gz', changed, /flipped\.jsonl\.gz/),
    refused(
      'text behind the end',
      'behind.jsonl.gz',
      Buffer.concat([whole, Buffer.alloc(600), rows]),
      /behind\.jsonl\.gz/,
    ),
    refused('no gzip at all', 'not.jsonl.gz', rows, /it is not compressed/),
    refused(
      'a footer of 2³¹ bytes',
      'long.parquet',
      withLength(2 ** 31 - 1),
      /its footer claims 2147483647 bytes/,
    ),
    refused('10¹⁵ rows', 'many.parquet', table({ footer: { 3: 1e15 } }), /claims 1000000000000000 rows/),
    refused(
      'a column that lies in another file',
      'away.parquet',
      parquetFile(page, elsewhere),
      /is in another file/,
    ),
    refused(
      'a column behind the end of the file',
      'behind.parquet',
      table({ meta: { 9: 2 ** 40 } }),
      /from 1099511627776 on/,
    ),
    refused(
      'a Parquet file that was cut short',
      'cut.parquet',
      table({}).subarray(0, -20),
      /no whole Parquet file/,
    ),
  ],
};

function withLength(bytes: number): Buffer {
  const file = table({});
  file.writeUInt32LE(bytes, file.length - 8);
  return file;
}
