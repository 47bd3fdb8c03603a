import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN, reference } from '../../../../test/hashing-runner.js';
import type { LabelColumns, TokenColumns } from '../columns.js';
import type { ExitPolicy } from '../exit-policy.js';
import type { RowLabeller } from '../ports.js';
import type { ModelLayout } from '../stage-layout.js';
import { DedupingLabeller } from './deduping-labeller.js';

const layout: ModelLayout = {
  labels: ['a', 'b', 'c'],
  task: 'pair',
  hiddenSize: HIDDEN,
  activation: 'float32',
  stages: [{ exits: [0] }, { exits: [1, 2] }],
};
const policy: ExitPolicy = new Map([
  [0, 0.4],
  [1, 0.4],
  [2, 0],
]);
const CLASSES = layout.labels.length;
const AMPLE = 100_000;

interface Row {
  readonly ids: readonly number[];
  readonly segments: readonly number[];
}

function columnsOf(rows: readonly Row[], withSegments = true): TokenColumns {
  const offsets = new Int32Array(rows.length + 1);
  for (const [index, { ids }] of rows.entries()) offsets[index + 1] = offsets[index]! + ids.length;
  return {
    ids: Int32Array.from(rows.flatMap(({ ids }) => ids)),
    segments: withSegments ? Int32Array.from(rows.flatMap(({ segments }) => segments)) : undefined,
    offsets,
    truncated: Uint8Array.from(rows, ({ ids }) => ids.length % 2),
  };
}

function rowsOf({ ids, segments, offsets }: TokenColumns): string[] {
  return Array.from({ length: offsets.length - 1 }, (_, row) => {
    const [start, end] = [offsets[row], offsets[row + 1]];
    return `${ids.subarray(start, end).join()}|${segments?.subarray(start, end).join()}`;
  });
}

/** Answers when told to, in any order. */
class HeldLabeller implements RowLabeller {
  readonly seen: TokenColumns[] = [];
  readonly #held: ((error?: Error) => void)[] = [];

  get held(): number {
    return this.#held.length;
  }

  label(tokens: TokenColumns): Promise<LabelColumns> {
    this.seen.push(tokens);
    return new Promise((resolve, reject) => {
      this.#held.push((error) =>
        error === undefined ? resolve(reference(tokens, layout, policy)) : reject(error),
      );
    });
  }

  /** Ends one of the calls, the `pick`-th counted round and round. */
  end(pick: number, error?: Error): void {
    const [end] = this.#held.splice(pick % this.#held.length, 1);
    end?.(error);
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Few ids and short rows, so that rows repeat and also differ in one token, its segment or their length alone. */
const row = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1 })), {
    minLength: 1,
    maxLength: 3,
  })
  .map((tokens): Row => ({ ids: tokens.map(([id]) => id), segments: tokens.map(([, segment]) => segment) }));
const longRow = fc.integer({ min: 60, max: 140 }).map((length): Row => {
  const ids = Array.from({ length }, (_, index) => index % 7);
  return { ids, segments: ids.map((id) => id % 2) };
});
const chunks = fc.array(fc.array(fc.oneof({ weight: 5, arbitrary: row }, longRow), { maxLength: 12 }), {
  minLength: 1,
  maxLength: 8,
});
/** Before each call: which of the calls that are held end. */
const picks = fc.array(fc.array(fc.nat(20), { maxLength: 3 }), { minLength: 8, maxLength: 8 });

describe('DedupingLabeller', () => {
  it('gives the labels of the inner labeller, whatever repeats, leaves the memory, or ends first', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, picks, fc.integer({ min: 0, max: 4000 }), async (chunks, picks, bytes) => {
        const inner = new HeldLabeller();
        const left = new Map<number, number>();
        const rowsLeft = (layer: number, count: number) => left.set(layer, (left.get(layer) ?? 0) + count);
        const deduping = new DedupingLabeller(inner, CLASSES, { bytes, telemetry: { rowsLeft } });
        const labels: Promise<LabelColumns>[] = [];
        for (const [index, chunk] of chunks.entries()) {
          for (const pick of picks[index]!) inner.end(pick);
          await settle();
          labels.push(deduping.label(columnsOf(chunk)));
        }
        while (inner.held > 0) inner.end(picks[inner.held % 8]![0] ?? 0);
        const references = chunks.map((chunk) => reference(columnsOf(chunk), layout, policy));
        expect(await Promise.all(labels)).toEqual(references);

        const computed = inner.seen.flatMap(rowsOf);
        expect(deduping.rowsRepeated).toBe(chunks.flat().length - computed.length);
        const exits = references.flatMap(({ exitLayer }) => [...exitLayer]);
        const computedExits = inner.seen.flatMap((tokens) => [
          ...reference(tokens, layout, policy).exitLayer,
        ]);
        for (const layer of [0, 1, 2]) {
          const count = (layers: number[]) => layers.filter((one) => one === layer).length;
          expect(left.get(layer) ?? 0).toBe(count(exits) - count(computedExits));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has each row computed once while the memory holds it', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, picks, async (chunks, picks) => {
        const inner = new HeldLabeller();
        const deduping = new DedupingLabeller(inner, CLASSES, { bytes: AMPLE });
        const labels: Promise<LabelColumns>[] = [];
        for (const [index, chunk] of chunks.entries()) {
          for (const pick of picks[index]!) inner.end(pick);
          await settle();
          labels.push(deduping.label(columnsOf(chunk)));
        }
        while (inner.held > 0) inner.end(0);
        await Promise.all(labels);
        const computed = inner.seen.flatMap(rowsOf);
        expect(computed).toHaveLength(new Set(computed).size);
        expect(new Set(computed)).toEqual(new Set(rowsOf(columnsOf(chunks.flat()))));
        for (const tokens of inner.seen) {
          const lengths = [...tokens.offsets.subarray(1)].map((end, index) => end - tokens.offsets[index]!);
          expect([...tokens.truncated]).toEqual(lengths.map((length) => length % 2));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('fails every call that waits for a failed one, and computes their rows again when they come again', async () => {
    const [a, b, c]: Row[] = [
      { ids: [1], segments: [0] },
      { ids: [2], segments: [0] },
      { ids: [3, 3], segments: [0, 1] },
    ];
    const inner = new HeldLabeller();
    const deduping = new DedupingLabeller(inner, CLASSES, { bytes: AMPLE });
    const outcomes = Promise.allSettled(
      [[a!, b!], [b!], [c!, c!, a!], [c!]].map((rows) => deduping.label(columnsOf(rows))),
    );
    expect(inner.seen.map(rowsOf)).toEqual([['1|0', '2|0'], ['3,3|0,1']]);
    const error = new Error('the machine is on fire');
    inner.end(0, error);
    inner.end(0);
    const failed = { status: 'rejected', reason: error };
    expect(await outcomes).toEqual([
      failed,
      failed,
      failed,
      { status: 'fulfilled', value: reference(columnsOf([c!]), layout, policy) },
    ]);

    const again = deduping.label(columnsOf([a!, b!, c!]));
    expect(rowsOf(inner.seen[2]!)).toEqual(['1|0', '2|0']);
    inner.end(0);
    expect(await again).toEqual(reference(columnsOf([a!, b!, c!]), layout, policy));
  });

  it('answers at once where every row is known', async () => {
    const inner = new HeldLabeller();
    const deduping = new DedupingLabeller(inner, CLASSES, { bytes: AMPLE });
    const rows: Row[] = [{ ids: [4, 5], segments: [0, 0] }];
    const first = deduping.label(columnsOf(rows, false));
    inner.end(0);
    await first;
    const other = deduping.label(columnsOf([{ ids: [9], segments: [0] }], false));
    expect(await deduping.label(columnsOf([rows[0]!, rows[0]!], false))).toMatchObject({ rows: 2 });
    expect(inner.held).toBe(1);
    inner.end(0);
    await other;
    expect(deduping.rowsRepeated).toBe(2);
  });

  it('answers for no rows at all', async () => {
    const inner = new HeldLabeller();
    const labels = new DedupingLabeller(inner, CLASSES, { bytes: AMPLE }).label(columnsOf([]));
    inner.end(0);
    expect(await labels).toMatchObject({ rows: 0, classes: CLASSES });
  });
});
