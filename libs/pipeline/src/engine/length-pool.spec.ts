import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { LengthPool } from './length-pool.js';

const BATCH_TOKENS = 12;
const LENGTH = 3;

/** Numbers of tasks, of which those below zero are urgent, in parts as they come, each with what each row is. */
const parts = fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 6 }), {
  maxLength: 8,
});

it('gives every row once with its activations, those that somebody waits for first', () => {
  fc.assert(
    fc.property(parts, fc.boolean(), (tasks, withHidden) => {
      const pool = new LengthPool(BATCH_TOKENS);
      const added: { task: number; row: number }[] = [];
      for (const each of tasks) {
        const rows = each.map((task, at) => ({ task, row: added.length + at }));
        added.push(...rows);
        pool.add(LENGTH, {
          tasks: Int32Array.from(each),
          rows: Int32Array.from(rows, ({ row }) => row),
          hidden: withHidden ? Float32Array.from(rows.flatMap(({ row }) => [row, row, row])) : undefined,
        });
      }
      expect(pool.bytes).toBe(withHidden ? added.length * LENGTH * 4 : 0);
      const taken: { task: number; row: number }[] = [];
      while (pool.batchRows(LENGTH) > 0) {
        const { tasks: of, rows, hidden } = pool.take(LENGTH);
        expect(rows.length).toBeLessThanOrEqual(BATCH_TOKENS / LENGTH);
        for (const [at, row] of rows.entries()) {
          taken.push({ task: of[at]!, row });
          if (withHidden)
            expect([...hidden!.subarray(at * LENGTH, (at + 1) * LENGTH)]).toEqual([row, row, row]);
        }
      }
      const [urgent, others] = [added.filter(({ task }) => task < 0), added.filter(({ task }) => task >= 0)];
      expect(taken).toEqual([...urgent, ...others]);
      expect(pool.bytes).toBe(0);
    }),
  );
});
