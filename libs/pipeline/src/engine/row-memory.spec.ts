import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelColumns, TokenColumns } from '../columns.js';
import { emptyLabels } from '../label-columns.js';
import { ANSWERED, hashOfRow, RowMemory } from './row-memory.js';

const tokensOf = (...ids: number[]): TokenColumns => ({
  ids: Int32Array.from(ids),
  offsets: Int32Array.of(0, ids.length),
  truncated: Uint8Array.of(0),
});

const countUp = (from: number, length: number): TokenColumns =>
  tokensOf(...Array.from({ length }, (_, index) => (from + index) % 5));

const answerOf = (label: number): LabelColumns => ({
  rows: 1,
  classes: 2,
  label: Uint16Array.of(label),
  exitLayer: Uint8Array.of(label % 7),
  uncertainty: Float32Array.of(label / 16),
  probabilities: Float32Array.of(label / 8, 1 / (1 + label)),
});

const longest = 80;
const shortRow = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 });
/** Of two lengths, so that one can stand where another stood. */
const longRow = fc
  .tuple(fc.constantFrom(64, longest), fc.nat(4))
  .map(([length, from]) => Array.from({ length }, (_, index) => (from + index) % 5));
const rows = fc.array(fc.oneof(shortRow, longRow), { maxLength: 60 });

describe('RowMemory', () => {
  it('finds what has not left, and nothing else, although hashes collide', () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 0, max: 4000 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, bytes, hashes) => {
          const memory = new RowMemory(bytes, 2);
          const added: { key: string; length: number }[] = [];
          for (const ids of rows) {
            const [tokens, key] = [tokensOf(...ids), ids.join()];
            const hash = ids.length % hashes;
            const entry = memory.find(tokens, 0, hash);
            if (entry > 0) {
              expect(added[memory.callOf(entry) - 1]?.key).toBe(key);
              expect(memory.rowOf(entry)).toBe(ids.length);
              continue;
            }
            const last = added.findLastIndex((one) => one.key === key);
            if (last >= 0) expect(mustHold(added.slice(last), bytes)).toBe(false);
            const given = memory.add(tokens, 0, hash, added.length + 1, ids.length);
            if (given > 0) added.push({ key, length: ids.length });
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not take what stands in the place of a row for the row', () => {
    const memory = new RowMemory(3 * 311, 2);
    for (const [call, tokens] of [countUp(0, 64), countUp(1, 80), countUp(2, 80)].entries()) {
      memory.add(tokens, 0, 7, call + 1, 0);
    }
    // The third begins where the first did, in a ring of three times 64.
    expect(memory.find(countUp(2, 64), 0, 7)).toBe(0);
  });

  it('keeps the answer of each entry until it leaves', () => {
    const memory = new RowMemory(4 * 311, 2);
    const entries = Array.from({ length: 20 }, (_, row) => {
      const tokens = tokensOf(row, row);
      const entry = memory.add(tokens, 0, hashOfRow(tokens, 0), 3, row);
      expect(memory.callOf(entry)).toBe(3);
      return entry;
    });
    for (const [row, entry] of [...entries.entries()].toReversed()) memory.answer(entry, answerOf(row), 0);
    const target = emptyLabels(2, 2);
    const found = entries.map((_, row) => {
      const tokens = tokensOf(row, row);
      const entry = memory.find(tokens, 0, hashOfRow(tokens, 0));
      if (entry === 0) return false;
      expect(memory.callOf(entry)).toBe(ANSWERED);
      memory.copyAnswer(entry, target, 1);
      for (const name of ['label', 'exitLayer', 'uncertainty'] as const) {
        expect(target[name][1]).toBe(answerOf(row)[name][0]);
      }
      expect(target.probabilities.subarray(2)).toEqual(answerOf(row).probabilities);
      return true;
    });
    expect(found.indexOf(true)).toBe(16);
    expect(found.slice(found.indexOf(true))).not.toContain(false);
  });

  it('forgets a row that has no answer', () => {
    const memory = new RowMemory(4000, 2);
    const entry = memory.add(tokensOf(1, 2), 0, 5, 1, 0);
    memory.forget(entry);
    expect(memory.find(tokensOf(1, 2), 0, 5)).toBe(0);
    const again = memory.add(tokensOf(1, 2), 0, 5, 2, 0);
    expect(memory.find(tokensOf(1, 2), 0, 5)).toBe(again);
  });
});

/** Whether rows that were added since fill neither the entries nor, with what the end of the ring wastes, the tokens. */
function mustHold(since: readonly { length: number }[], bytes: number): boolean {
  const capacity = Math.max(1, Math.floor(bytes / 311));
  const tokens = since.reduce((sum, { length }) => sum + length, longest);
  return since.length <= capacity && tokens <= capacity * 64;
}
