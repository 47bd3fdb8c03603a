import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ToyTokenizer, toyLabels, toyLabelsOf } from '../../../../test/toy-ports.js';
import { rowLengths } from '../engine/select-rows.js';
import { joinParts } from './join-parts.js';
import type { TryRows } from './quarantine.js';
import { labelInQuarantine, TrialFailedError } from './quarantine.js';

const tokenizer = new ToyTokenizer();

/** Dies of `kills` always, of `scares` the first time, throws at `throws`. */
function trials(): { tryRows: TryRows; count: () => number } {
  let [count, scared] = [0, 0];
  const tryRows: TryRows = async ({ input }) => {
    count += 1;
    if (input.kind !== 'texts') throw new TypeError('texts only');
    const { texts } = input;
    if (texts.some((text) => text.startsWith('kills'))) throw new TrialFailedError('died', 'signal SIGSEGV');
    if (texts.some((text) => text.startsWith('throws'))) throw new TrialFailedError('threw', 'no such id');
    if (texts.includes('scares') && scared++ === 0) throw new TrialFailedError('died', 'signal SIGKILL');
    const tokens = await tokenizer.tokenize(texts);
    return { labels: toyLabelsOf(tokens), lengths: rowLengths(tokens), truncated: tokens.truncated };
  };
  return { tryRows, count: () => count };
}

it('labels every row but those that fail by themselves, twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('one', 'two', 'three', 'scares', 'kills', 'throws'), {
        minLength: 1,
        maxLength: 40,
      }),
      async (texts) => {
        const { tryRows, count } = trials();
        const rows = Int32Array.from(texts.keys());
        const job = { rows, input: { kind: 'texts', texts } as const, policy: {} };
        const part = await labelInQuarantine(job, toyLabels.length, tryRows);
        const joined = joinParts([part], texts.length, toyLabels.length)!;
        const bad = texts.flatMap((text, index) => (/^(kills|throws)/.test(text) ? [index] : []));
        expect(joined.rejected!.map(({ index }) => index)).toEqual(bad);
        expect(joined.rejected!.map(({ reason }) => reason)).toEqual(
          bad.map((index) => (texts[index] === 'kills' ? 'kills-worker' : 'model-error')),
        );
        const good = texts.filter((_, index) => !bad.includes(index));
        expect(part.labels).toEqual(toyLabelsOf(await tokenizer.tokenize(good)));
        if (bad.length === 0 && !texts.includes('scares')) expect(count()).toBe(1);
      },
    ),
  );
});

it('finds one row of many in few trials', async () => {
  const texts = Array.from({ length: 1024 }, (_, row) => (row === 777 ? 'kills' : 'fine'));
  const { tryRows, count } = trials();
  const job = { rows: Int32Array.from(texts.keys()), input: { kind: 'texts', texts } as const, policy: {} };
  const { rejected } = await labelInQuarantine(job, toyLabels.length, tryRows);
  expect(rejected).toEqual([
    {
      index: 777,
      reason: 'kills-worker',
      message: 'Alone, 2 times, the row ended the process that labelled it: signal SIGSEGV',
    },
  ]);
  expect(count()).toBeLessThanOrEqual(2 * 10 + 2);
});

it('rejects nothing when no process can be started', async () => {
  const job = { rows: Int32Array.of(0), input: { kind: 'texts', texts: ['one'] } as const, policy: {} };
  await expect(
    labelInQuarantine(job, toyLabels.length, () => Promise.reject(new Error('spawn ENOMEM'))),
  ).rejects.toThrow('spawn ENOMEM');
});
