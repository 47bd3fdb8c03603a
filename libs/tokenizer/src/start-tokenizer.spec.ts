import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTokenizer } from './start-tokenizer.js';
import { TextTokenizer } from './text-tokenizer.js';
import { TokenizerPool } from './tokenizer-pool.js';
import { TokenizerThreadHandle } from './tokenizer-thread-handle.js';

const VOCAB = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nb\n##b\n!\n';
const options = { rule: 'cls-sep', maxLength: 12 } as const;
const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '!', ' ', 'é', '[SEP]') }), {
  maxLength: 20,
});

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-tokenizer-'));
  await writeFile(path.join(directory, 'vocab.txt'), VOCAB);
});

afterAll(() => rm(directory, { recursive: true }));

test('threads give what the calling thread gives, whichever takes the call', async () => {
  const here = await TextTokenizer.load(directory, options);
  const threads = await startTokenizer({ directory, ...options, threads: 2 });
  expect(threads.concurrency).toBe(2);
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 6 }), async (calls) => {
      const answers = await Promise.all(
        calls.flatMap((call) => [threads.tokenize(call), threads.tokenize(call, call.toReversed())]),
      );
      const expected = calls.flatMap((call) => [here.tokenize(call), here.tokenize(call, call.toReversed())]);
      expect(answers).toEqual(expected);
    }),
    { numRuns: 50 },
  );
  await threads.close();
});

test('a call that cannot be served fails alone', async () => {
  const tokenizer = await startTokenizer({ directory, ...options, threads: 1 });
  await expect(tokenizer.tokenize(['a'], [])).rejects.toMatchObject({ name: 'TokenizerUsageError' });
  expect((await tokenizer.tokenize(['a'])).ids.length).toBe(3);
  await tokenizer.close();
});

test('a directory without a tokenizer fails at the start, by name', async () => {
  const missing = path.join(directory, 'nothing-here');
  await expect(startTokenizer({ directory: missing, ...options, threads: 2 })).rejects.toMatchObject({
    name: 'TokenizerFileError',
    file: missing,
    message: expect.stringContaining('found none of them'),
  });
});

test('wrong options fail at the start', async () => {
  for (const wrong of [{ threads: 0 }, { threads: 1.5 }, { threads: 1, maxLength: 2 }]) {
    await expect(startTokenizer({ directory, ...options, ...wrong })).rejects.toMatchObject({
      name: 'TokenizerUsageError',
    });
  }
});

test('closing rejects the calls that are not answered, and those that come later', async () => {
  const tokenizer = await startTokenizer({ directory, ...options, threads: 1 });
  const calls = [tokenizer.tokenize(['a'.repeat(5_000_000)]), tokenizer.tokenize(['b'])];
  const outcomes = Promise.allSettled(calls);
  await tokenizer.close();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'TokenizerClosedError' } });
  }
  await expect(tokenizer.tokenize(['a'])).rejects.toMatchObject({ name: 'TokenizerClosedError' });
  await tokenizer.close();
});

test.each([
  ['ends', 'process.exit(7)', /ended unasked with exit code 7/],
  ['throws', "throw new Error('out of luck')", /failed: out of luck/],
])('a thread that %s rejects every call, running, waiting and later', async (_, lastWords, message) => {
  const source = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => { ${lastWords}; });
    parentPort.postMessage({ kind: 'ready' });`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const pool = new TokenizerPool([await TokenizerThreadHandle.start({ directory, ...options }, entry)]);
  const failure = { name: 'TokenizerThreadError', message: expect.stringMatching(message) };
  const outcomes = await Promise.allSettled([pool.tokenize(['a']), pool.tokenize(['b'])]);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: failure });
  await expect(pool.tokenize(['c'])).rejects.toMatchObject(failure);
  await pool.close();
});
