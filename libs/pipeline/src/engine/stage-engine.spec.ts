import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExitColumns, LabelColumns, TokenColumns } from '../columns.js';
import type { ExitPolicy } from '../exit-policy.js';
import type { StageBatch, StageResult, StageRunner } from '../ports.js';
import type { ModelLayout } from '../stage-layout.js';
import { exitLayers } from '../stage-layout.js';
import { TokenColumnsError } from './label-task.js';
import { StageFailedError, StageEngine } from './stage-engine.js';

const HIDDEN = 2;
const CLASSES = 3;

/** A 32-bit hash of a few numbers (FNV-1a). */
function hashOf(...numbers: number[]): number {
  let hash = 0x811c9dc5;
  for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193) >>> 0;
  return hash;
}

/** The chunk that a token of these tests comes from is written in its id. */
const IDS_OF_CHUNK = 1000;
const chunkOf = (id: number) => Math.floor(id / IDS_OF_CHUNK);

/** The model of these tests: a row is a hash of its tokens and segments, and an exit's opinion a hash of that. */
const rowHash = (ids: Iterable<number>, segments: Iterable<number>) => hashOf(...ids, ...segments) >>> 8;

function opinion(hash: number, layer: number): { probabilities: number[]; uncertainty: number } {
  const probabilities = Array.from({ length: CLASSES }, (_, index) => hashOf(hash, layer, index) % 4);
  // Few different values, so that uncertainties meet thresholds exactly.
  return { probabilities, uncertainty: Math.fround((hashOf(hash, layer) % 11) / 10) };
}

/** Each row by itself, exit by exit. */
function reference(tokens: TokenColumns, layout: ModelLayout, policy: ExitPolicy): LabelColumns {
  const rows = tokens.offsets.length - 1;
  const columns = {
    rows,
    classes: CLASSES,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(rows * CLASSES),
  };
  const layers = exitLayers(layout);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [tokens.offsets[row], tokens.offsets[row + 1]];
    const hash = rowHash(tokens.ids.subarray(start, end), tokens.segments?.subarray(start, end) ?? []);
    const layer =
      layers.find((layer) => opinion(hash, layer).uncertainty < Math.fround(policy.get(layer) ?? 0)) ??
      layers[layers.length - 1] ??
      0;
    const { probabilities, uncertainty } = opinion(hash, layer);
    columns.label[row] = probabilities.indexOf(Math.max(...probabilities));
    columns.exitLayer[row] = layer;
    columns.uncertainty[row] = uncertainty;
    columns.probabilities.set(probabilities, row * CLASSES);
  }
  return columns;
}

/** Runs batches when told to, in any order, and watches what the engine does. */
class ManualRunner implements StageRunner {
  readonly concurrency: number;
  readonly #layout: ModelLayout;
  readonly #pending: (() => void)[] = [];
  readonly batches: { stage: number; rows: number; tokens: number }[] = [];
  mostPending = 0;
  /** Bytes of survivors that have come out of a stage and not gone into the next. */
  survivorBytes = 0;
  mostSurvivorBytes = 0;
  /** The batch to fail, counted from 0. */
  failAt = -1;
  /** Chunks with rows in the failed batch. */
  failed = new Set<number>();
  /** Chunks with rows in batches begun after that. */
  readonly afterFailure = new Set<number>();
  #finished = 0;

  constructor(layout: ModelLayout, concurrency: number) {
    this.#layout = layout;
    this.concurrency = concurrency;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Ends one of the batches, the `pick`-th from the oldest, counted round and round. */
  finish(pick: number): void {
    const [finish] = this.#pending.splice(pick % this.#pending.length, 1);
    finish?.();
  }

  run(given: StageBatch): Promise<StageResult> {
    const batch = moved(given);
    this.batches.push({ stage: batch.stage, rows: batch.rows, tokens: batch.tokens });
    if (batch.input.kind === 'hidden') this.survivorBytes -= batch.input.hidden.byteLength;
    if (this.failed.size > 0) for (const chunk of chunksIn(batch)) this.afterFailure.add(chunk);
    return new Promise((resolve, reject) => {
      this.#pending.push(() => {
        if (this.#finished++ === this.failAt) {
          this.failed = chunksIn(batch);
          reject(new Error('the machine is on fire'));
        } else resolve(this.#compute(batch));
      });
      this.mostPending = Math.max(this.mostPending, this.#pending.length);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #compute({ stage, rows, tokens, policy, input }: StageBatch): StageResult {
    const exits = this.#layout.stages[stage]?.exits ?? [];
    const isLast = stage === this.#layout.stages.length - 1;
    const chunks = Array.from({ length: rows }, (_, row) => chunkOfRow(input, row * tokens));
    const hashes = Array.from({ length: rows }, (_, row) => {
      if (input.kind === 'hidden') return input.hidden[row * tokens * HIDDEN] ?? 0;
      const [start, end] = [row * tokens, (row + 1) * tokens];
      return rowHash(input.ids.subarray(start, end), input.segments?.subarray(start, end) ?? []);
    });
    let reached = hashes.map((_, row) => row);
    const columns = exits.map((layer, index): ExitColumns => {
      const said = reached.map((row) => opinion(hashes[row] ?? 0, layer));
      const result = {
        layer,
        rows: Int32Array.from(reached),
        probabilities: Float32Array.from(said.flatMap(({ probabilities }) => probabilities)),
        uncertainty: Float32Array.from(said, ({ uncertainty }) => uncertainty),
      };
      const takesAll = isLast && index === exits.length - 1;
      reached = reached.filter(
        (_, at) => !takesAll && !((result.uncertainty[at] ?? 0) < (policy[index] ?? 0)),
      );
      return result;
    });
    const hidden = new Float32Array(reached.length * tokens * HIDDEN);
    for (const [at, row] of reached.entries()) {
      hidden.set([hashes[row] ?? 0, chunks[row] ?? 0], at * tokens * HIDDEN);
    }
    this.survivorBytes += hidden.byteLength;
    this.mostSurvivorBytes = Math.max(this.mostSurvivorBytes, this.survivorBytes);
    return { exits: columns, survivors: { rows: Int32Array.from(reached), hidden }, seconds: 0 };
  }
}

/** What a real runner does to a batch: its arrays are gone from the caller's side. */
function moved(batch: StageBatch): StageBatch {
  const { policy, input } = batch;
  const arrays = input.kind === 'hidden' ? [input.hidden] : [input.ids, input.segments ?? []];
  const buffers = [policy, ...arrays].flatMap((array) =>
    ArrayBuffer.isView(array) && array.buffer instanceof ArrayBuffer ? [array.buffer] : [],
  );
  return structuredClone(batch, { transfer: buffers });
}

const chunkOfRow = (input: StageBatch['input'], token: number) =>
  (input.kind === 'hidden' ? input.hidden[token * HIDDEN + 1] : chunkOf(input.ids[token] ?? 0)) ?? -1;

const chunksIn = ({ input, rows, tokens }: StageBatch) =>
  new Set(Array.from({ length: rows }, (_, row) => chunkOfRow(input, row * tokens)));

const LONGEST = 9;

const layouts = fc
  .record({
    stages: fc.integer({ min: 1, max: 4 }),
    task: fc.constantFrom('single' as const, 'pair' as const),
  })
  .map(({ stages, task }): ModelLayout => {
    const exits = [[0], [1, 2], [3], [4, 5, 6]].slice(0, stages);
    return {
      labels: ['a', 'b', 'c'],
      task,
      hiddenSize: HIDDEN,
      activation: 'float32',
      stages: exits.map((exits) => ({ exits })),
    };
  });

const lengths = fc.array(fc.integer({ min: 1, max: LONGEST }), { maxLength: 40 });

function tokensOf(lengths: readonly number[], task: ModelLayout['task'], chunk: number): TokenColumns {
  const offsets = Int32Array.of(0, ...lengths);
  for (let row = 1; row < offsets.length; row++) offsets[row] = (offsets[row] ?? 0) + (offsets[row - 1] ?? 0);
  const total = offsets[offsets.length - 1] ?? 0;
  const ids = Int32Array.from(
    { length: total },
    (_, at) => chunk * IDS_OF_CHUNK + (hashOf(chunk, at) % IDS_OF_CHUNK),
  );
  const segments = task === 'pair' ? ids.map((id) => id % 2) : undefined;
  return { ids, segments, offsets, truncated: new Uint8Array(lengths.length) };
}

const scenes = layouts.chain((layout) =>
  fc.record({
    layout: fc.constant(layout),
    thresholds: fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 7, maxLength: 7 }),
    chunks: fc.array(lengths, { minLength: 1, maxLength: 5 }),
    batchTokens: fc.integer({ min: 1, max: 40 }),
    survivorBytes: fc.integer({ min: 0, max: 1000 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    picks: fc.array(fc.nat(100), { minLength: 1, maxLength: 20 }),
  }),
);

const policyOf = (layout: ModelLayout, thresholds: readonly number[]): ExitPolicy =>
  new Map(exitLayers(layout).map((layer, index) => [layer, (thresholds[index] ?? 0) / 10]));

/** Lets everything that is ready happen. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function finishAll(runner: ManualRunner, picks: readonly number[]): Promise<void> {
  for (let step = 0; runner.pending > 0; step++) {
    runner.finish(picks[step % picks.length] ?? 0);
    await settle();
  }
}

describe('StageEngine', () => {
  it('labels every row once, as if it were alone, whatever the batches and their order', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async (scene) => {
        const { layout, batchTokens, survivorBytes, concurrency } = scene;
        const policy = policyOf(layout, scene.thresholds);
        const runner = new ManualRunner(layout, concurrency);
        let ran = 0;
        const telemetry = { stageRan: () => void ran++ };
        const engine = new StageEngine(runner, layout, policy, { batchTokens, survivorBytes, telemetry });
        const chunks = scene.chunks.map((lengths, index) => tokensOf(lengths, layout.task, index));
        const labels = Promise.all(chunks.map((tokens) => engine.label(tokens)));
        await finishAll(runner, scene.picks);
        expect(await labels).toEqual(chunks.map((tokens) => reference(tokens, layout, policy)));

        expect(ran).toBe(runner.batches.length);
        expect(runner.mostPending).toBeLessThanOrEqual(2 * concurrency);
        for (const { rows, tokens } of runner.batches) {
          expect(rows === 1 || rows * tokens <= batchTokens).toBe(true);
        }
        const oneBatch = Math.max(batchTokens, LONGEST) * HIDDEN * Float32Array.BYTES_PER_ELEMENT;
        expect(runner.mostSurvivorBytes).toBeLessThanOrEqual(Math.max(survivorBytes, oneBatch));
        expect(runner.survivorBytes).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('rejects the tasks of a failed batch, labels the others, and works on', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, fc.nat(20), async (scene, failAt) => {
        const { layout, batchTokens, survivorBytes, concurrency } = scene;
        const policy = policyOf(layout, scene.thresholds);
        const runner = new ManualRunner(layout, concurrency);
        const engine = new StageEngine(runner, layout, policy, { batchTokens, survivorBytes });
        const chunks = scene.chunks.map((lengths, index) => tokensOf(lengths, layout.task, index));
        runner.failAt = failAt;
        const labels = Promise.allSettled(chunks.map((tokens) => engine.label(tokens)));
        await finishAll(runner, scene.picks);
        for (const [index, outcome] of (await labels).entries()) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StageFailedError);
          expect(outcome.status === 'rejected').toBe(runner.failed.has(index));
          if (outcome.status === 'rejected') continue;
          expect(outcome.value).toEqual(
            reference(chunks[index] ?? tokensOf([], layout.task, 0), layout, policy),
          );
        }
        expect([...runner.failed].filter((chunk) => runner.afterFailure.has(chunk))).toEqual([]);

        runner.failAt = -1;
        const again = tokensOf([1, 2, 3], layout.task, 77);
        const labelled = engine.label(again);
        await finishAll(runner, scene.picks);
        expect(await labelled).toEqual(reference(again, layout, policy));
      }),
      { numRuns: 300 },
    );
  });

  const twoStages: ModelLayout = {
    labels: ['a', 'b', 'c'],
    task: 'single',
    hiddenSize: HIDDEN,
    activation: 'float32',
    stages: [{ exits: [1] }, { exits: [2] }],
  };
  const fullDepth = new Map([
    [1, 0],
    [2, 0],
  ]);

  it('runs full batches of the deepest stage first, and a partial one only when nothing is full', async () => {
    const runner = new ManualRunner(twoStages, 1);
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4 });
    const labels = engine.label(tokensOf([2, 1, 2, 2, 2, 2], 'single', 0));
    await finishAll(runner, [0]);
    await labels;
    expect(runner.batches).toEqual([
      { stage: 0, rows: 2, tokens: 2 },
      { stage: 0, rows: 2, tokens: 2 },
      { stage: 1, rows: 2, tokens: 2 },
      { stage: 1, rows: 2, tokens: 2 },
      { stage: 0, rows: 1, tokens: 2 },
      { stage: 0, rows: 1, tokens: 1 },
      { stage: 1, rows: 1, tokens: 2 },
      { stage: 1, rows: 1, tokens: 1 },
    ]);
  });

  it.each([
    { room: 3, stages: [0, 0, 1, 1] },
    { room: 2, stages: [0, 1, 0, 1] },
  ])('runs survivors early when only $room tokens of them may wait', async ({ room, stages }) => {
    const runner = new ManualRunner(twoStages, 1);
    const survivorBytes = room * HIDDEN * Float32Array.BYTES_PER_ELEMENT;
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4, survivorBytes });
    const labels = engine.label(tokensOf([2, 1], 'single', 0));
    await finishAll(runner, [0]);
    await labels;
    expect(runner.mostSurvivorBytes).toBeLessThanOrEqual(survivorBytes);
    expect(runner.batches.map(({ stage }) => stage)).toEqual(stages);
  });

  it('answers for no rows at all', async () => {
    const engine = new StageEngine(new ManualRunner(twoStages, 1), twoStages, fullDepth);
    await expect(engine.label(tokensOf([], 'single', 0))).resolves.toMatchObject({ rows: 0, classes: 3 });
  });

  it('refuses rows without tokens and pairs without segments', async () => {
    const engine = new StageEngine(new ManualRunner(twoStages, 1), twoStages, fullDepth);
    await expect(engine.label(tokensOf([3, 0], 'single', 0))).rejects.toThrow(TokenColumnsError);
    const pairs: ModelLayout = { ...twoStages, task: 'pair' };
    const pairEngine = new StageEngine(new ManualRunner(pairs, 1), pairs, fullDepth);
    await expect(pairEngine.label(tokensOf([3], 'single', 0))).rejects.toThrow(TokenColumnsError);
  });
});
