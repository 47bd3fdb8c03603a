import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { HiddenStates } from '#model/compile/hidden-states.js';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { openModel } from '#model/import/open-model.js';
import { CheckpointExistsError } from '#model/import/write-checkpoint.js';
import { isThere } from '#model/whole-directory.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { chooseBackend } from '../backend/choose-backend.js';
import { Random } from '../data/random.js';
import type { TrainingRows } from '../data/read-rows.js';
import { readRows, sharedRows, TrainingDataError } from '../data/read-rows.js';
import type { StatedRows } from '../distil/distil-task.js';
import { distilTask } from '../distil/distil-task.js';
import { StateCache } from '../distil/state-cache.js';
import { balancedWeights, fineTuneTask } from '../fine-tune/fine-tune-task.js';
import type { LoopResult } from '../loop/train.js';
import { train } from '../loop/train.js';
import type { TrainingEvent } from '../loop/training-events.js';
import { TrainingStates } from '../loop/training-state.js';
import type { TrainingTask } from '../loop/training-task.js';
import type { TrainableModel } from '../model/trainable-model.js';
import { readTrainable } from '../model/trainable-model.js';
import { modelCard } from '../report/model-card.js';
import { trainingCurves } from '../report/training-curves.js';
import { distilledConfig, fineTunedConfig } from './trained-config.js';
import type {
  DistilRequest,
  FineTuneRequest,
  TrainingNews,
  TrainingOutcome,
  TrainingRequest,
} from './training-request.js';
import { writeTrained } from './write-trained.js';

/** Of a stream of random numbers: first values of exits are not those of any step. */
const FIRST_VALUES = 0x5eed;

export interface TrainingHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onNews: (news: TrainingNews) => void;
}

/** Reads, trains, writes: the whole of a training, in this process, which it blocks. */
export async function runTraining(request: TrainingRequest, hooks: TrainingHooks): Promise<TrainingOutcome> {
  const begun = performance.now();
  const out = resolve(request.out);
  if ((await isThere(out)) && !request.force) {
    throw new CheckpointExistsError(out, 'Choose another --out, or replace it with --force.');
  }
  const note = (text: string): void => hooks.onNews({ kind: 'note', note: text });
  const backend = await chooseBackend(request.backend);
  note(`Backend: ${backend.name} (${backend.why}).`);
  const checkpoint = await openModel(request.base);
  try {
    const prepared = await (request.kind === 'train'
      ? prepareFineTuning(request, checkpoint, note)
      : prepareDistillation(request, checkpoint, hooks, note));
    try {
      const result = await trainWith(prepared, request, checkpoint, hooks, note);
      const outcome: TrainingOutcome = {
        out: request.out,
        ...result,
        backend: backend.name,
        seconds: (performance.now() - begun) / 1000,
      };
      if (result.end === 'stopped') return outcome;
      const log = await readFile(join(workFolder(out), 'training.jsonl'), 'utf8');
      const card = modelCard({
        request,
        outcome,
        config: prepared.model.config,
        rows: prepared.rows,
        dev: prepared.dev,
      });
      await writeTrained(
        out,
        prepared.model,
        await checkpoint.tokenizer(),
        new Map([
          ['training.jsonl', log],
          ['training.svg', trainingCurves(basename(out), eventsOf(log))],
          ['README.md', card],
        ]),
      );
      await rm(workFolder(out), { recursive: true, force: true });
      return outcome;
    } finally {
      prepared.model.dispose();
      await prepared.close();
    }
  } finally {
    await checkpoint.close();
  }
}

interface Prepared {
  readonly model: TrainableModel;
  readonly task: TrainingTask;
  readonly rows: TrainingRows;
  readonly dev: TrainingRows | undefined;
  close(): Promise<void>;
}

/** Of a fine-tuned model: everything from scratch, or the head. */
function isNew({ fromScratch, newHead }: FineTuneRequest, name: string): boolean {
  return fromScratch !== undefined || (newHead && name.startsWith('exits.'));
}

/** Of a distilled model: the exits before the last. */
function isNewExit({ exits }: CheckpointConfig, { newExits }: DistilRequest, name: string): boolean {
  return newExits && exits.slice(0, -1).some(({ layer }) => name.startsWith(`exits.${layer}.`));
}

/** Checkpoints of a training and its log, until it is done. */
function workFolder(out: string): string {
  return `${out}.training`;
}

async function trainWith(
  { task, rows, dev }: Prepared,
  request: TrainingRequest,
  checkpoint: Checkpoint,
  { signal, onNews }: TrainingHooks,
  note: (text: string) => void,
): Promise<LoopResult> {
  const folder = workFolder(resolve(request.out));
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'training.jsonl');
  const states = new TrainingStates(folder, settingsOf(request, checkpoint, rows, dev));
  let pending = '';
  let from = 0;
  const flush = async (): Promise<void> => {
    const lines = pending;
    pending = '';
    if (lines !== '') await appendFile(log, lines);
  };
  const result = await train(task, request.loop, {
    states: {
      restore: async (...of) => {
        const position = await states.restore(...of);
        from = position?.step ?? 0;
        await keepLines(log, from);
        return position;
      },
      save: async (...of) => {
        await flush();
        await states.save(...of);
      },
    },
    signal,
    onResume: (step) => note(`Going on from the checkpoint of step ${step}.`),
    onEvent: (event) => {
      pending += `${JSON.stringify(event)}\n`;
      onNews(event);
    },
  });
  await flush();
  return result;
}

/** Leaves of a log what was before a step, or makes an empty one. */
async function keepLines(path: string, step: number): Promise<void> {
  const text = step === 0 || !(await isThere(path)) ? '' : await readFile(path, 'utf8');
  const kept = eventsOf(text).filter((event) => event.step <= step);
  await writeFile(path, kept.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

function eventsOf(log: string): TrainingEvent[] {
  const lines = log.split('\n').filter((line) => line !== '');
  return lines.map((line): TrainingEvent => JSON.parse(line));
}

/** A hash of what the numbers of a training depend on. */
function settingsOf(
  request: TrainingRequest,
  checkpoint: Checkpoint,
  rows: TrainingRows,
  dev: TrainingRows | undefined,
): string {
  const {
    out: _,
    force: _force,
    tool: _tool,
    backend: _backend,
    data: _data,
    dev: _dev,
    base: _base,
    ...others
  } = request;
  const { checkpointSteps: _steps, ...loop } = request.loop;
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ ...others, loop, base: checkpoint.sha256, labels: rows.labels }));
  for (const corpus of [rows, dev]) {
    hash
      .update(corpus?.tokens.ids ?? '')
      .update(corpus?.tokens.starts ?? '')
      .update(corpus?.golds ?? '');
  }
  return hash.digest('hex');
}

async function prepareFineTuning(
  request: FineTuneRequest,
  checkpoint: Checkpoint,
  note: (text: string) => void,
): Promise<Prepared> {
  const task = request.task ?? checkpoint.config.task;
  const shape = fineTunedConfig(checkpoint.config, { ...request, task, labels: ['', ' '] });
  const tokenizer = await tokenizerOf(checkpoint, shape);
  const head = checkpoint.config.exits.at(-1);
  const keepsHead = head !== undefined && !request.newHead && request.fromScratch === undefined;
  const labels = request.labels ?? (keepsHead ? checkpoint.config.labels : undefined);
  const advice = request.labels === undefined ? " They are the base's; --new-head begins with others." : '';
  const rows = await readRows({ corpus: request.data, tokenizer, task, labelled: true, labels, advice });
  tell(note, 'Training', rows);
  const path = request.data.paths.join(', ');
  const found = new Set(rows.golds).size;
  if (found < 2) {
    throw new TrainingDataError(
      path,
      `all ${rows.lengths.length} rows have the label ${JSON.stringify(rows.labels[rows.golds![0]!])}; at least two labels are needed to learn from.`,
    );
  }
  if (found < rows.labels.length)
    note(`${rows.labels.length - found} of ${rows.labels.length} labels have no rows to learn from.`);
  const dev =
    request.dev &&
    (await readRows({ corpus: request.dev, tokenizer, task, labelled: true, labels: rows.labels }));
  tellOfDev(note, rows, dev);
  const config = fineTunedConfig(checkpoint.config, { ...request, task, labels: rows.labels });
  const random = new Random(request.loop.seed, FIRST_VALUES);
  const model = await readTrainable(checkpoint, config, random, (name) => isNew(request, name));
  const classWeights =
    request.classWeights === 'balanced' ? balancedWeights(rows.golds!, rows.labels.length) : null;
  const options = { joint: request.joint, dropout: request.dropout, classWeights };
  return {
    model,
    task: fineTuneTask(model, rows, dev, options),
    rows,
    dev,
    close: () => Promise.resolve(),
  };
}

async function prepareDistillation(
  request: DistilRequest,
  checkpoint: Checkpoint,
  { onNews, signal }: TrainingHooks,
  note: (text: string) => void,
): Promise<Prepared> {
  const config = distilledConfig(checkpoint.path, checkpoint.config, request);
  const { task, labels } = config;
  const tokenizer = await tokenizerOf(checkpoint, config);
  const labelled = request.loss.hardLabels > 0;
  const rows = await readRows({ corpus: request.data, tokenizer, task, labelled, labels });
  tell(note, 'Texts', rows);
  const dev =
    request.dev &&
    (await readRows({
      corpus: request.dev,
      tokenizer,
      task,
      labelled: request.dev.labelField !== undefined,
      labels,
    }));
  tellOfDev(note, rows, dev);
  const random = new Random(request.loop.seed, FIRST_VALUES);
  const model = await readTrainable(checkpoint, config, random, (name) => isNewExit(config, request, name));
  const layers = config.exits.map(({ layer }) => layer);
  const encoder = await HiddenStates.open(checkpoint, layers, availableParallelism());
  const folder = workFolder(resolve(request.out));
  await mkdir(folder, { recursive: true });
  const caches: StateCache[] = [];
  const stated = async (of: TrainingRows, name: string, uses: number): Promise<StatedRows> => {
    const states = new StateCache(of.tokens, encoder, layers.length, config.geometry.hiddenSize);
    caches.push(states);
    const gibibytes = (states.bytes / 2 ** 30).toFixed(1);
    if (uses > 1 && states.bytes <= request.mostCacheBytes) {
      const total = of.tokens.ids.length;
      const what = `hidden states of ${name} (${gibibytes} GiB on disk)`;
      await states.keepIn(
        join(folder, `${name}.states`),
        (tokens) => onNews({ kind: 'preparing', what, fraction: tokens / total }),
        signal,
      );
    } else if (uses > 1) {
      note(
        `Hidden states of ${name} would take ${gibibytes} GiB: they are computed anew in every epoch (--cache-size).`,
      );
    }
    return { rows: of, states };
  };
  const close = async (): Promise<void> => {
    for (const cache of caches) await cache.close();
    await encoder.release();
  };
  try {
    const { epochs } = request.loop;
    const statedRows = await stated(rows, 'texts', epochs);
    const statedDev = dev && (await stated(dev, 'dev', epochs));
    return { model, task: distilTask(model, statedRows, statedDev, request.loss), rows, dev, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function tokenizerOf(
  checkpoint: Checkpoint,
  { specialTokens: rule, maxLength }: CheckpointConfig,
): Promise<TextTokenizer> {
  return TextTokenizer.of(await checkpoint.tokenizer(), checkpoint.path, { rule, maxLength });
}

function tell(note: (text: string) => void, what: string, rows: TrainingRows): void {
  for (const each of rows.notes) note(each);
  const extras = [
    rows.rejected > 0 ? `${rows.rejected} rejected` : '',
    rows.truncated > 0 ? `${rows.truncated} cut to the maximum length` : '',
    rows.empty > 0 ? `${rows.empty} without a word` : '',
  ].filter(Boolean);
  note(
    `${what}: ${rows.lengths.length} rows, ${rows.tokens.ids.length} tokens${extras.map((each) => `, ${each}`).join('')}.`,
  );
}

function tellOfDev(note: (text: string) => void, rows: TrainingRows, dev: TrainingRows | undefined): void {
  if (dev === undefined) return;
  tell(note, 'Dev', dev);
  const shared = sharedRows(dev, rows);
  if (shared > 0) {
    note(
      `${shared} of ${dev.lengths.length} dev rows are among the training rows too: figures on dev look better than they are.`,
    );
  }
}
