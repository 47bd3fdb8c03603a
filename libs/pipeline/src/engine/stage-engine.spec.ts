import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN, ManualRunner, reference, tokensOf } from '../../../../test/hashing-runner.js';
import type { ExitPolicy } from '../exit-policy.js';
import type { ModelLayout } from '../stage-layout.js';
import { exitLayers } from '../stage-layout.js';
import { copyLabel } from '../label-columns.js';
import { TokenColumnsError } from './label-task.js';
import { joinActivations } from './join-activations.js';
import { selectRows } from './select-rows.js';
import { StageFailedError, StageEngine } from './stage-engine.js';

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
      stages: exits.map((exits) => ({
        exits,
        layers: exits[0] === 0 ? undefined : [exits[0]!, exits.at(-1)!],
      })),
    };
  });

const lengths = fc.array(fc.integer({ min: 1, max: LONGEST }), { maxLength: 40 });

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
        const left = new Map<number, number>();
        const telemetry = {
          stageRan: () => void ran++,
          rowsLeft: (layer: number, count: number) => void left.set(layer, (left.get(layer) ?? 0) + count),
        };
        const engine = new StageEngine(runner, layout, policy, { batchTokens, survivorBytes, telemetry });
        const chunks = scene.chunks.map((lengths, index) => tokensOf(lengths, layout.task, index));
        const labels = Promise.all(chunks.map((tokens) => engine.label(tokens)));
        await finishAll(runner, scene.picks);
        expect(await labels).toEqual(chunks.map((tokens) => reference(tokens, layout, policy)));
        const exits = (await labels).flatMap(({ exitLayer }) => [...exitLayer]);
        for (const [layer, count] of left) expect(exits.filter((exit) => exit === layer)).toHaveLength(count);
        expect([...left.values()].reduce((a, b) => a + b, 0)).toBe(exits.length);

        expect(ran).toBe(runner.batches.length);
        expect(runner.mostPending).toBeLessThanOrEqual(2 * concurrency);
        for (const { stage, rows, tokens } of runner.batches) {
          expect(rows === 1 || rows * tokens <= batchTokens * (stage === 0 ? 2 : 1)).toBe(true);
        }
        const oneBatch = Math.max(2 * batchTokens, LONGEST) * HIDDEN * Float32Array.BYTES_PER_ELEMENT;
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
    stages: [
      { exits: [1], layers: [1, 1] },
      { exits: [2], layers: [2, 2] },
    ],
  };
  const fullDepth = new Map([
    [1, 0],
    [2, 0],
  ]);

  it('runs full batches of the deepest stage first, in turn with those of the oldest task', async () => {
    const runner = new ManualRunner(twoStages, 1);
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4 });
    const labels = engine.label(tokensOf([2, 1, 2, 2, 2, 2], 'single', 0));
    await finishAll(runner, [0]);
    await labels;
    expect(runner.batches).toEqual([
      { stage: 0, rows: 2, tokens: 2 },
      { stage: 0, rows: 2, tokens: 2 },
      { stage: 1, rows: 2, tokens: 2 },
      { stage: 0, rows: 1, tokens: 2 },
      { stage: 1, rows: 2, tokens: 2 },
      { stage: 0, rows: 1, tokens: 1 },
      { stage: 1, rows: 1, tokens: 2 },
      { stage: 1, rows: 1, tokens: 1 },
    ]);
  });

  it('ends the oldest task although younger ones could fill every batch', async () => {
    const runner = new ManualRunner(twoStages, 1);
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4 });
    let ended: number | undefined;
    const oldest = engine.label(tokensOf([1], 'single', 0)).then(() => (ended = runner.batches.length));
    const younger = engine.label(
      tokensOf(
        Array.from({ length: 40 }, () => 2),
        'single',
        1,
      ),
    );
    await finishAll(runner, [0]);
    await Promise.all([oldest, younger]);
    expect(runner.batches).toHaveLength(2 + 40);
    expect(ended).toBeLessThan(12);
  });

  it('runs larger batches where exit 0 is a stage by itself', async () => {
    const layout: ModelLayout = { ...twoStages, stages: [{ exits: [1] }, { exits: [2], layers: [2, 2] }] };
    const runner = new ManualRunner(layout, 1);
    const engine = new StageEngine(runner, layout, fullDepth, { batchTokens: 4 });
    const labels = engine.label(tokensOf([2, 2, 2, 2, 2, 2, 2, 2, 2], 'single', 0));
    await finishAll(runner, [0]);
    await labels;
    const rowsOfStage = [0, 1].map((stage) =>
      runner.batches.filter((batch) => batch.stage === stage).map(({ rows }) => rows),
    );
    expect(rowsOfStage).toEqual([
      [4, 4, 1],
      [2, 2, 2, 2, 1],
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

  it('labels rows as before where survivors go on elsewhere, after whichever stage', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, fc.nat(3), async (scene, cut) => {
        const { layout, batchTokens, survivorBytes, concurrency } = scene;
        const last = layout.stages.length - 1;
        const lastStage = Math.min(cut, last);
        const policy = policyOf(layout, scene.thresholds);
        const runners = [
          new ManualRunner(layout, concurrency),
          new ManualRunner(layout, concurrency),
        ] as const;
        const options = { batchTokens, survivorBytes };
        const [here, elsewhere] = [
          new StageEngine(runners[0], layout, policy, { ...options, lastStage }),
          new StageEngine(runners[1], layout, policy, options),
        ];
        const chunks = scene.chunks.map((lengths, index) => tokensOf(lengths, layout.task, index));
        const begun = Promise.all(chunks.map((tokens) => here.run({ tokens })));
        await finishAll(runners[0], scene.picks);
        const ended = (await begun).map(async ({ labels, survivors: { rows, hidden } }, index) => {
          expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
          expect(hidden).toHaveLength(rows.length);
          if (rows.length === 0) return labels;
          const tokens = selectRows(chunks[index]!, [...rows]);
          const rest = await elsewhere.run({
            tokens,
            entry: { stage: lastStage + 1, hidden: joinActivations(hidden)! },
          });
          expect(rest.survivors.rows).toHaveLength(0);
          for (const [at, row] of rows.entries()) copyLabel(rest.labels, at, labels, row);
          return labels;
        });
        await settle();
        await finishAll(runners[1], scene.picks);
        expect(await Promise.all(ended)).toEqual(chunks.map((tokens) => reference(tokens, layout, policy)));
        expect(runners[0].batches.every(({ stage }) => stage <= lastStage)).toBe(true);
        expect(runners[1].batches.every(({ stage }) => stage > lastStage)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses activations that are not those of the tokens', async () => {
    const engine = new StageEngine(new ManualRunner(twoStages, 1), twoStages, fullDepth);
    const entry = { stage: 1, hidden: new Float32Array(3 * HIDDEN - 1) };
    await expect(engine.run({ tokens: tokensOf([3], 'single', 0), entry })).rejects.toThrow(
      'Expected activations of 3 tokens, 6 numbers; got 5.',
    );
  });

  it('lets rows wait for others as long as others may come, unless they are urgent', async () => {
    const runner = new ManualRunner(twoStages, 1);
    let moreMayCome = true;
    const patience = { ms: 60_000, moreMayCome: () => moreMayCome };
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4, patience });
    const labels = [engine.label(tokensOf([2, 1], 'single', 0))];
    await settle();
    expect(runner.batches).toEqual([]);
    labels.push(engine.label(tokensOf([2], 'single', 1)));
    await settle();
    expect(runner.batches).toEqual([{ stage: 0, rows: 2, tokens: 2 }]);
    runner.finish(0);
    await settle();
    labels.push(
      engine.run({ tokens: tokensOf([3], 'single', 2), urgent: true }).then(({ labels: all }) => all),
    );
    await settle();
    expect(runner.batches.at(-1)).toEqual({ stage: 0, rows: 1, tokens: 3 });
    moreMayCome = false;
    await finishAll(runner, [0]);
    expect((await Promise.all(labels)).map(({ rows }) => rows)).toEqual([2, 1, 1]);
  });

  const oneStage: ModelLayout = { ...twoStages, stages: [{ exits: [1], layers: [1, 1] }] };

  it('runs urgent rows before those that came earlier, also of their length, and in the order in which they came', async () => {
    const runner = new ManualRunner(oneStage, 1);
    const engine = new StageEngine(runner, oneStage, fullDepth, { batchTokens: 2 });
    const order: string[] = [];
    const label = (name: string, length: number, urgent: boolean): Promise<unknown> =>
      engine.run({ tokens: tokensOf([length], 'single', 0), urgent }).then(() => order.push(name));
    // Two batches are at the runner before the urgent one comes.
    const all = ['a', 'b', 'c', 'd'].map((name) => label(name, 2, false));
    all.push(...['urgent', 'urgent too', 'urgent last'].map((name) => label(name, 2, true)));
    await settle();
    await finishAll(runner, [0]);
    await Promise.all(all);
    expect(order).toEqual(['a', 'b', 'urgent', 'urgent too', 'urgent last', 'c', 'd']);
  });

  it('runs urgent rows of several lengths in the order in which they came', async () => {
    const runner = new ManualRunner(oneStage, 1);
    const engine = new StageEngine(runner, oneStage, fullDepth, { batchTokens: 1 });
    const order: string[] = [];
    const label = (name: string, length: number, urgent: boolean): Promise<unknown> =>
      engine.run({ tokens: tokensOf([length], 'single', 0), urgent }).then(() => order.push(name));
    const all = ['a', 'b', 'c'].map((name) => label(name, 2, false));
    all.push(...[3, 2, 4, 3].map((length, at) => label(`urgent ${at}`, length, true)));
    await settle();
    await finishAll(runner, [0]);
    await Promise.all(all);
    expect(order).toEqual(['a', 'b', 'urgent 0', 'urgent 1', 'urgent 2', 'urgent 3', 'c']);
  });

  it('forgets rows that nobody waits for any more, and labels the others', async () => {
    const runner = new ManualRunner(oneStage, 1);
    const engine = new StageEngine(runner, oneStage, fullDepth, { batchTokens: 2 });
    const unwanted = new AbortController();
    const gone = engine.run({ tokens: tokensOf([2, 2, 2, 2, 2, 2], 'single', 0), signal: unwanted.signal });
    const wanted = engine.label(tokensOf([1], 'single', 1));
    await settle();
    const begun = runner.batches.length;
    unwanted.abort(new Error('nobody waits'));
    await expect(gone).rejects.toThrow('nobody waits');
    await finishAll(runner, [0]);
    expect((await wanted).rows).toBe(1);
    // What was at the runner, and the row of the other.
    expect(runner.batches).toHaveLength(begun + 1);
  });

  it('notices by itself that no others will come', async () => {
    const runner = new ManualRunner(twoStages, 1);
    let moreMayCome = true;
    const patience = { ms: 3_600_000, moreMayCome: () => moreMayCome };
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4, patience });
    const labels = engine.label(tokensOf([1], 'single', 0));
    await settle();
    expect(runner.batches).toEqual([]);
    moreMayCome = false;
    for (const _ of twoStages.stages) {
      await expect.poll(() => runner.pending).toBe(1);
      runner.finish(0);
    }
    expect((await labels).rows).toBe(1);
  });

  it('lets rows wait for others no longer than it was told', async () => {
    const runner = new ManualRunner(twoStages, 1);
    const patience = { ms: 30, moreMayCome: () => true };
    const engine = new StageEngine(runner, twoStages, fullDepth, { batchTokens: 4, patience });
    const labels = engine.label(tokensOf([1], 'single', 0));
    await settle();
    expect(runner.batches).toEqual([]);
    await expect.poll(() => runner.pending).toBe(1);
    runner.finish(0);
    await expect.poll(() => runner.pending).toBe(1);
    runner.finish(0);
    expect((await labels).rows).toBe(1);
  });
});
