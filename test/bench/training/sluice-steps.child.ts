/** Some steps of one stage, by Sluice: `work.json`; prints a StageOutcome. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '#model/import/open-model.js';
import { HiddenStates } from '#model/compile/hidden-states.js';
import { backendNames } from '#training/backend/backend-names.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import { distilTask } from '#training/distil/distil-task.js';
import { StateCache } from '#training/distil/state-cache.js';
import { fineTuneTask } from '#training/fine-tune/fine-tune-task.js';
import type { StepEvent } from '#training/loop/training-events.js';
import { train } from '#training/loop/train.js';
import { readTrainable } from '#training/model/trainable-model.js';
import { readWork } from './prepare-work.js';
import type { StageOutcome, StageWork } from './work.js';

const work: StageWork = JSON.parse(await readFile(process.argv[2]!, 'utf8'));
const { name } = await chooseBackend(backendNames.find((each) => each === work.backend));
const checkpoint = await openModel(work.checkpoint);
const { config } = checkpoint;
const rows = await readWork(checkpoint, work);
const model = await readTrainable(checkpoint, config, new Random(work.seed));
let statesSeconds = 0;

async function task(): Promise<Parameters<typeof train>[0]> {
  if (work.stage === 0)
    return fineTuneTask(model, rows, undefined, { joint: 'last', dropout: 0, classWeights: null });
  const layers = config.exits.map(({ layer }) => layer);
  const encoder = await HiddenStates.open(checkpoint, layers, work.threads);
  const states = new StateCache(rows.tokens, encoder, layers.length, config.geometry.hiddenSize);
  const begun = performance.now();
  await states.keepIn(join(work.folder, 'bench.states'), () => undefined);
  statesSeconds = (performance.now() - begun) / 1000;
  const loss = { direction: 'teacher-student', temperature: 1, hardLabels: 0 } as const;
  return distilTask(model, { rows, states }, undefined, loss);
}

const events: StepEvent[] = [];
const enough = new AbortController();
await train(
  await task(),
  {
    epochs: 1,
    batchTokens: work.batchTokens,
    accumulate: 1,
    rate: work.rate,
    warmUp: 0.1,
    weightDecay: 0.01,
    clip: 1,
    seed: work.seed,
    patience: 0,
    checkpointSteps: 1_000_000,
  },
  {
    states: { restore: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    signal: enough.signal,
    onEvent: (event) => {
      if (event.kind === 'step') events.push(event);
      if (events.length === work.steps) enough.abort();
    },
  },
);
const outcome: StageOutcome = {
  seconds: events.map(({ ms }) => ms / 1000),
  losses: events.map(({ loss }) => loss),
  statesSeconds,
  computesWith: `backend ${name}`,
};
process.stdout.write(JSON.stringify(outcome), () => process.exit());
