import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryActivations, MemoryResults, MemoryTransport } from '../../../../test/fleet/memory-ports.js';
import { toyLayout, ToyStages } from '../../../../test/fleet/toy-stages.js';
import { ToyTokenizer, toyLabelsOf } from '../../../../test/toy-ports.js';
import type { TokenColumns } from '../columns.js';
import type { StageInput } from '../engine/label-task.js';
import { selectRows } from '../engine/select-rows.js';
import { encodeActivations } from './activation-blob.js';
import { activationBudgets } from './activation-budgets.js';
import type { StageJob } from './fleet-ports.js';
import type { StageRows } from './policy-engines.js';
import { PolicyEngines } from './policy-engines.js';
import type { JobWorkParts } from './work-on-job.js';
import { dropUnwanted, workOnJob } from './work-on-job.js';

const BLOB_BYTES = 40;
const CAME_WITH = 'came-with';
const never = new AbortController().signal;

let activations: MemoryActivations;
let transport: MemoryTransport;
let results: MemoryResults;
let tokens: TokenColumns;
/** Rows of those that do not leave at the first stage, and at the second. */
let survivors: [number, number];
const retries: [string, number][] = [];

beforeEach(async () => {
  [activations, transport, results] = [new MemoryActivations(), new MemoryTransport(), new MemoryResults()];
  retries.length = 0;
  tokens = await new ToyTokenizer().tokenize(Array.from({ length: 12 }, (_, row) => `row ${row}`));
  const exits = [...toyLabelsOf(tokens).exitLayer];
  survivors = [exits.filter((layer) => layer > 0).length, exits.filter((layer) => layer > 2).length];
  expect(survivors.every((rows) => rows > 1 && rows < 12)).toBe(true);
});

function partsOf(lastStage: number, stages: StageRows = new ToyStages(lastStage, 0)): JobWorkParts {
  return {
    layout: toyLayout,
    lastStage,
    tokenizer: new ToyTokenizer(),
    engines: new PolicyEngines(() => stages),
    transport,
    results,
    activations,
    budgets: activationBudgets(10 * BLOB_BYTES, BLOB_BYTES),
    blobBytes: BLOB_BYTES,
    tryRows: () => Promise.reject(new Error('Nothing here is suspect.')),
    onRetry: (reason, rows) => retries.push([reason, rows]),
  };
}

const firstJob = (urgent = false): StageJob => ({
  run: 'run',
  chunk: 0,
  epoch: 1,
  stage: 0,
  rows: Int32Array.from({ length: 12 }, (_, row) => row),
  chunkRows: 12,
  input: { kind: 'tokens', tokens },
  policy: {},
  fingerprints: [],
  recomputed: 0,
  urgent,
});

/** Of the rows that survive the first stage, whose activations are there. */
function secondJob(recomputed = 0): StageJob {
  const rows = [...toyLabelsOf(tokens).exitLayer.entries()].flatMap(([row, layer]) =>
    layer > 0 ? [row] : [],
  );
  const own = selectRows(tokens, rows);
  activations.kept.set(CAME_WITH, encodeActivations([Float32Array.from(own.ids)]));
  const input = { kind: 'tokens', tokens: own, activations: CAME_WITH } as const;
  return { ...firstJob(), stage: 1, rows: Int32Array.from(rows), input, recomputed };
}

const rowsAdded = (): number => transport.added.reduce((sum, { rows }) => sum + rows.length, 0);

describe('what rows leave for the next stage', () => {
  it('is there for the jobs that ask for it, and no more', async () => {
    expect(await workOnJob(firstJob(), false, partsOf(0), never)).toBe('done');
    expect(rowsAdded()).toBe(survivors[0]);
    const keys = transport.added.map(({ input }) => input.kind === 'tokens' && input.activations);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(activations.kept.keys())).toEqual(new Set(keys));
  });

  it('goes again where the queue refuses its job', async () => {
    transport.answer = 'refused';
    await workOnJob(firstJob(), false, partsOf(0), never);
    expect(activations.kept.size).toBe(0);
  });

  it('has the room of what they came with', async () => {
    activations.full = 'until room is made';
    const job = secondJob();
    let atPut: boolean | undefined;
    const put = activations.put.bind(activations);
    activations.put = async (key, bytes, whileFull) => {
      await put(key, bytes, whileFull);
      atPut = activations.kept.has(CAME_WITH);
    };
    await workOnJob(job, false, partsOf(1), never);
    expect(atPut).toBe(false);
    expect(rowsAdded()).toBe(survivors[1]);
  });

  it('is computed again where it has no room even so', async () => {
    activations.full = 'yes';
    expect(await workOnJob(secondJob(), false, partsOf(1), never)).toBe('done');
    expect(transport.added.map(({ stage, recomputed, input }) => [stage, recomputed, input.kind])).toEqual(
      transport.added.map(() => [0, 1, 'tokens']),
    );
    expect(rowsAdded()).toBe(survivors[1]);
    expect(results.rows).toBe(survivors[0] - survivors[1]);
    expect(activations.kept.size).toBe(0);
    expect(retries.reduce((sum, [, rows]) => sum + rows, 0)).toBe(survivors[1]);
    expect(new Set(retries.map(([reason]) => reason))).toEqual(new Set(['activations-refused']));
  });

  it('ends the attempt where that goes on and on', async () => {
    activations.full = 'yes';
    await expect(workOnJob(secondJob(5), false, partsOf(1), never)).rejects.toThrow('were lost 5 times');
  });
});

/** Whether the work ends soon. */
const ends = async (job: StageJob, lastStage: number): Promise<boolean> => {
  const stop = new AbortController();
  const working = workOnJob(job, false, partsOf(lastStage), stop.signal).then(() => true);
  const ended = await Promise.race([working, sleep(300, false)]);
  stop.abort(new Error('waited enough'));
  await working.catch(() => undefined);
  return ended;
};

describe('while there is no room for activations', () => {
  beforeEach(() => (activations.room = false));

  it('rows of runs wait', async () => {
    expect(await ends(firstJob(), 0)).toBe(false);
    expect(activations.kept.size).toBe(0);
  });

  it('rows that somebody waits for do not', async () => {
    expect(await ends(firstJob(true), 0)).toBe(true);
    expect(rowsAdded()).toBe(survivors[0]);
  });

  it('rows of deeper stages do not', async () => {
    expect(await ends(secondJob(), 1)).toBe(true);
    expect(rowsAdded()).toBe(survivors[1]);
  });
});

describe.each(['survivors', 'entering'] as const)('a job that waits for the bytes of %s', (budget) => {
  it('is let go when it is another worker’s', async () => {
    const parts = partsOf(0);
    const stop = new AbortController();
    let release!: () => void;
    const held = parts.budgets[budget].with(1e9, () => new Promise<void>((resolve) => (release = resolve)));
    const working = workOnJob(firstJob(), false, parts, stop.signal);
    await sleep(50);
    stop.abort(new Error('its lock was lost'));
    await expect(working).rejects.toThrow('its lock was lost');
    release();
    await held;
    await sleep(20);
    expect([activations.kept.size, transport.added.length, parts.budgets[budget].used]).toEqual([0, 0, 0]);
  });
});

it('a slice of a job that failed ends the others', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const failing: StageRows = {
    run: ({ signal }: StageInput) => {
      signals.push(signal);
      if (signals.length === 1) return Promise.reject(new Error('the store is gone'));
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  await expect(workOnJob(firstJob(), false, partsOf(0, failing), never)).rejects.toThrow('the store is gone');
  expect(signals.length).toBeGreaterThan(1);
  expect(signals.map((signal) => signal?.aborted)).toEqual(signals.map(() => true));
});

it('a job that is another worker’s keeps what it came with, and one that failed does not', async () => {
  const stop = new AbortController();
  const hanging: StageRows = { run: () => new Promise(() => undefined) };
  const working = workOnJob(secondJob(), false, partsOf(1, hanging), stop.signal);
  await sleep(20);
  stop.abort(new Error('its lock was lost'));
  await expect(working).rejects.toThrow('its lock was lost');
  expect([...activations.kept.keys()]).toEqual([CAME_WITH]);
  const failing: StageRows = { run: () => Promise.reject(new Error('no memory')) };
  await expect(workOnJob(secondJob(), false, partsOf(1, failing), never)).rejects.toThrow('no memory');
  expect(activations.kept.size).toBe(0);
});

it('a job for another runtime is let go of, with what it came with, only where nobody waits for it', async () => {
  const job = secondJob();
  expect(await dropUnwanted(job, { results, activations })).toBe(false);
  expect(activations.kept.size).toBe(1);
  results.wanted = false;
  expect(await dropUnwanted(job, { results, activations })).toBe(true);
  expect(activations.kept.size).toBe(0);
});
