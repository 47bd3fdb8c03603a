import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

it('lets all work through, in order, never more bytes at once than it has, or one piece alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ bytes: fc.nat({ max: 15 }), turns: fc.nat({ max: 3 }), fails: fc.boolean() })),
      async (pieces) => {
        const budget = new ByteBudget(10);
        const begun: number[] = [];
        let [bytes, running] = [0, 0];
        const results = await Promise.allSettled(
          pieces.map((piece, index) =>
            budget.with(piece.bytes, async () => {
              begun.push(index);
              bytes += piece.bytes;
              running += 1;
              expect(budget.used).toBeGreaterThanOrEqual(bytes);
              expect(bytes <= 10 || bytes === piece.bytes).toBe(true);
              for (let turn = 0; turn < piece.turns; turn += 1) await Promise.resolve();
              bytes -= piece.bytes;
              running -= 1;
              if (piece.fails) throw new Error(`piece ${index}`);
              return index;
            }),
          ),
        );
        expect(begun).toEqual(pieces.map((_, index) => index));
        expect(results.map(({ status }) => status === 'rejected')).toEqual(pieces.map(({ fails }) => fails));
        expect([budget.used, running]).toEqual([0, 0]);
      },
    ),
  );
});

it('makes work wait', async () => {
  const budget = new ByteBudget(10);
  const order: string[] = [];
  const first = budget.with(6, async () => {
    await sleep(5);
    order.push('first ended');
  });
  await budget.with(6, async () => {
    order.push('second began');
    await Promise.resolve();
  });
  await first;
  expect(order).toEqual(['first ended', 'second began']);
});

it('is not waited for any longer when the signal aborts, and others move up', async () => {
  const budget = new ByteBudget(10);
  let end!: () => void;
  const first = budget.with(6, () => new Promise<void>((resolve) => (end = resolve)));
  const gone = new AbortController();
  const large = budget.with(10, () => Promise.resolve('large'), { signal: gone.signal });
  const small = budget.with(4, () => Promise.resolve('small'));
  gone.abort(new Error('nobody waits'));
  await expect(large).rejects.toThrow('nobody waits');
  expect(await small).toBe('small');
  await expect(budget.with(1, () => Promise.resolve(), { signal: gone.signal })).rejects.toThrow(
    'nobody waits',
  );
  expect(await budget.with(100, () => Promise.resolve('urgent'), { urgent: true })).toBe('urgent');
  end();
  await first;
  expect([budget.used, budget.isFull]).toEqual([0, false]);
});
