import { execFileSync, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { appendFile, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';

import { expect, test } from 'vitest';

import { temporarySuffix } from '#pipeline/run-directory/durable-write.js';

import { inFolder, joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import { CorpusChangedError } from './corpus-errors.js';
import { openCorpus } from './open-corpus.js';

const rows = Array.from({ length: 5000 }, (_, row) => `text ${row}`);
const content = `${rows.join('\n')}\n`;

/** The bytes, through a named pipe from another process. */
function piped(path: string): Readable {
  const pipe = `${path}.pipe`;
  execFileSync('mkfifo', [pipe]);
  spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', path, pipe], { stdio: 'inherit' });
  return createReadStream(pipe);
}

function open(stream: Readable, spoolPath: string) {
  return openCorpus({ paths: ['-'], format: 'txt', stdin: { stream, spoolPath } });
}

test('a pipe is read like a file, and sealed when it has ended', async () => {
  await withFile('in.txt', content, (path) =>
    inFolder(async (folder) => {
      const spoolPath = join(folder, 'stdin');
      const fromPipe = await readChunks(open(piped(path), spoolPath));
      expect(fromPipe).toEqual(await readChunks(openCorpus({ paths: [path] })));
      expect(await readFile(spoolPath, 'utf8')).toBe(content);
      expect(await readFile(`${spoolPath}.sealed`, 'utf8')).toBe(`${content.length}\n`);
    }),
  );
});

test('a seal that was cut short is a temporary file like any other, and the next one takes its place', async () => {
  await inFolder(async (folder) => {
    const spoolPath = join(folder, 'stdin');
    await writeFile(`${spoolPath}.sealed${temporarySuffix}`, '12');
    await readChunks(open(Readable.from([Buffer.from(content)]), spoolPath));
    expect((await readdir(folder)).sort()).toEqual(['stdin', 'stdin.sealed']);
  });
});

test('a sealed spool is the corpus: the stream may give nothing or the same, and no other bytes', async () => {
  await inFolder(async (folder) => {
    const spoolPath = join(folder, 'stdin');
    const given = (text: string) => open(Readable.from(text === '' ? [] : [Buffer.from(text)]), spoolPath);
    await readChunks(given(content));
    for (const again of ['', content]) {
      const corpus = await given(again);
      expect(corpus.bytes).toBe(content.length);
      expect(joined(await readChunks(Promise.resolve(corpus))).texts).toEqual(rows);
    }
    for (const other of ['other', `${content}x`, content.replace('text 4999', 'text 4998')]) {
      await expect(given(other)).rejects.toThrow(/^Standard input changed/);
    }
    await appendFile(spoolPath, 'x');
    await expect(given('')).rejects.toThrow(CorpusChangedError);
  });
});

test('a sealed spool does not wait for a terminal', async () => {
  await inFolder(async (folder) => {
    const spoolPath = join(folder, 'stdin');
    await readChunks(open(Readable.from([Buffer.from(content)]), spoolPath));
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    expect(joined(await readChunks(open(terminal, spoolPath))).texts).toEqual(rows);
  });
});

test('a spool that is not sealed is compared with the stream and continued', async () => {
  await withFile('in.txt', content, (path) =>
    inFolder(async (folder) => {
      const spoolPath = join(folder, 'stdin');
      await writeFile(spoolPath, content.slice(0, 12_345));
      expect(joined(await readChunks(open(piped(path), spoolPath))).texts).toEqual(rows);
      expect(await readFile(spoolPath, 'utf8')).toBe(content);
    }),
  );
});

test.each<[string, string]>([
  ['a byte differs', content.slice(0, 10_000).replace('text 7', 'text 8')],
  ['the stream is shorter', `${content}more\n`],
])('a spool is not continued where %s', async (_, spooled) => {
  await withFile('in.txt', content, (path) =>
    inFolder(async (folder) => {
      const spoolPath = join(folder, 'stdin');
      await writeFile(spoolPath, spooled);
      await expect(readChunks(open(piped(path), spoolPath))).rejects.toThrow(CorpusChangedError);
      await expect(stat(`${spoolPath}.sealed`)).rejects.toThrow(/ENOENT/);
      expect(await readFile(spoolPath, 'utf8')).toBe(spooled);
    }),
  );
});

test('rows come while the pipe is still open, and closing ends the wait', async () => {
  await inFolder(async (folder) => {
    const stream = new PassThrough();
    const spoolPath = join(folder, 'stdin');
    stream.write('a\nb\nc\n');
    const corpus = await openCorpus({
      paths: ['-'],
      format: 'txt',
      chunkRows: 2,
      stdin: { stream, spoolPath },
    });
    const chunks = corpus.chunks()[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toMatchObject({ texts: ['a', 'b'], firstRow: 1 });
    expect(corpus.bytes).toBeUndefined();
    const next = expect(chunks.next()).rejects.toThrow(/was closed while it was read/);
    await corpus.close();
    await next;
    await expect(stat(`${spoolPath}.sealed`)).rejects.toThrow(/ENOENT/);
  });
});

test('an error of the stream reaches the reader', async () => {
  await inFolder(async (folder) => {
    const stream = new PassThrough();
    stream.write('a line\n');
    const corpus = await open(stream, join(folder, 'stdin'));
    const next = expect(corpus.chunks()[Symbol.asyncIterator]().next()).rejects.toThrow('the pipe broke');
    stream.destroy(new Error('the pipe broke'));
    await next;
    await corpus.close();
  });
});
