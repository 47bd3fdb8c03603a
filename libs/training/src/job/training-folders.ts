import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder, writeDurably } from '#pipeline/run-directory/durable-write.js';
import { placedRequestSchema } from './training-steps.js';
import { isTrainingUnderWay } from './training-view.js';
import type { StepRecord, StepResult, StepView, TrainingState, TrainingView } from './training-view.js';

/** A training as it was submitted: its corpora are paths, and its base is a directory. */
const submittedSchema = z.object({
  id: z.string(),
  owner: z.string(),
  createdAt: z.string(),
  request: placedRequestSchema,
});
export type SubmittedTraining = z.infer<typeof submittedSchema>;

const stateSchema = z.object({
  phase: z.enum(['waiting', 'running', 'finished', 'failed', 'cancelled']),
  since: z.string(),
  error: z.string().optional(),
  deaths: z.int().optional(),
});

const resultSchema = z.object({ seconds: z.number(), version: z.int().optional() });

/** There is no such training. */
export class NoSuchTrainingError extends Error {
  override readonly name = 'NoSuchTrainingError';

  constructor(readonly id: string) {
    super(`There is no training ${JSON.stringify(id)}.`);
  }
}

const ID = /^t[a-z0-9]{11}$/;
const CANCELLED = 'cancelled';
const OWNER = 'owner';
/** Of folders that are on their way out. */
const DELETED = '.deleted';

/**
 * The folders of all trainings, which producers and trainers share. They are the truth: what the queue has of a training is
 * its id, and it may be lost.
 *
 *     <id>/request.json          as it was submitted
 *     <id>/state.json            where it stands; the trainer's, once it has begun
 *     <id>/owner                 token of the trainer that took it last
 *     <id>/cancelled             there once it is cancelled; the producer's
 *     <id>/input/                corpora that were uploaded
 *     <id>/steps/<n>/            of each step, from 0: record.json while it goes on, result.json once it is done
 *     <id>/steps/<n>/out/<name>  the checkpoint, bundle or evaluation that it made
 *     <id>/steps/<n>/out/<name>.training   checkpoints and log of a training that goes on
 */
export class TrainingFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the root, and removes what was about to be deleted. */
  async open(): Promise<void> {
    await makeFolder(this.#root);
    for (const name of await readdir(this.#root)) {
      if (name.endsWith(DELETED)) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  newId(): string {
    return `t${Array.from(randomBytes(11), (byte) => (byte % 36).toString(36)).join('')}`;
  }

  /** @throws NoSuchTrainingError for what is no id */
  path(id: string, ...names: readonly string[]): string {
    if (!ID.test(id)) throw new NoSuchTrainingError(id);
    return join(this.#root, id, ...names);
  }

  /** @param step from 0 */
  stepPath(id: string, step: number, ...names: readonly string[]): string {
    return this.path(id, 'steps', String(step), ...names);
  }

  /** Where a step puts what it makes, under the name of the model. */
  outPath({ id, request }: SubmittedTraining, step: number): string {
    return this.stepPath(id, step, 'out', request.name);
  }

  /** Makes the folder of a training. @returns that of its uploads */
  async create(id: string): Promise<string> {
    const uploads = this.path(id, 'input');
    await mkdir(uploads, { recursive: true });
    return uploads;
  }

  /** From here on the training is there. */
  async submit(training: SubmittedTraining): Promise<void> {
    for (const step of training.request.steps.keys()) {
      await mkdir(this.stepPath(training.id, step, 'out'), { recursive: true });
    }
    await writeJson(this.path(training.id, 'request.json'), training);
    await this.setState(training.id, { phase: 'waiting' });
  }

  /** Makes a trainer the one that may write: whoever had the training before finds that it is another's. */
  async take(id: string, token: string): Promise<void> {
    await writeText(this.path(id, OWNER), token);
  }

  /** Whether it is still this trainer's. */
  async isTakenBy(id: string, token: string): Promise<boolean> {
    return (await readFile(this.path(id, OWNER), 'utf8').catch(() => '')) === token;
  }

  async setState(id: string, state: Omit<TrainingState, 'since'>): Promise<void> {
    await writeJson(this.path(id, 'state.json'), { ...state, since: new Date().toISOString() });
  }

  /** @throws NoSuchTrainingError */
  async submitted(id: string): Promise<SubmittedTraining> {
    const training = await readJsonFile(this.path(id, 'request.json'), submittedSchema);
    if (training === undefined) throw new NoSuchTrainingError(id);
    return training;
  }

  /** @throws NoSuchTrainingError */
  async state(id: string): Promise<TrainingState> {
    const state = await readJsonFile(this.path(id, 'state.json'), stateSchema);
    if (state === undefined) throw new NoSuchTrainingError(id);
    const cancelled = await stat(this.path(id, CANCELLED)).catch(() => undefined);
    if (cancelled === undefined || !isTrainingUnderWay(state)) return state;
    return { phase: 'cancelled', since: cancelled.mtime.toISOString() };
  }

  /** The trainer that has it sees so, and ends. */
  async cancel(id: string): Promise<void> {
    await writeText(this.path(id, CANCELLED), '');
  }

  /** Lets one that was cancelled, or has failed, go on. */
  async resume(id: string): Promise<void> {
    await this.setState(id, { phase: 'waiting' });
    await rm(this.path(id, CANCELLED), { force: true });
  }

  /** Of a step that is done. */
  result(id: string, step: number): Promise<StepResult | undefined> {
    return readJsonFile(this.stepPath(id, step, 'result.json'), resultSchema);
  }

  async setResult(id: string, step: number, result: StepResult): Promise<void> {
    await writeJson(this.stepPath(id, step, 'result.json'), result);
  }

  async setRecord(id: string, step: number, record: StepRecord): Promise<void> {
    await writeJson(this.stepPath(id, step, 'record.json'), record);
  }

  async record(id: string, step: number): Promise<StepRecord> {
    const text = await readFile(this.stepPath(id, step, 'record.json'), 'utf8').catch(() => undefined);
    return text === undefined ? { notes: [] } : JSON.parse(text);
  }

  /** @throws NoSuchTrainingError */
  async view(id: string): Promise<TrainingView> {
    const { owner, createdAt, request } = await this.submitted(id);
    const state = await this.state(id);
    const steps: StepView[] = [];
    let version: number | undefined;
    let isNext = true;
    for (const [index, { kind }] of request.steps.entries()) {
      const result = await this.result(id, index);
      const isOver = result !== undefined;
      steps.push({
        kind,
        ...(await this.record(id, index)),
        phase: isOver ? 'finished' : isNext ? state.phase : 'waiting',
        seconds: result?.seconds,
      });
      isNext = isOver;
      version = result?.version ?? version;
    }
    const { name } = request;
    return {
      id,
      name,
      owner,
      createdAt,
      ...state,
      steps,
      model: version === undefined ? undefined : { name, version },
    };
  }

  /** Ids of all trainings. */
  async ids(): Promise<string[]> {
    return (await readdir(this.#root)).filter((name) => ID.test(name));
  }

  /** Deletes what producers that are no more have left of submissions. @param before those that began before then, ms */
  async sweep(before: number): Promise<void> {
    for (const id of await this.ids()) {
      const isSubmitted = await stat(this.path(id, 'state.json')).then(
        () => true,
        () => false,
      );
      const folder = await stat(this.path(id)).catch(() => undefined);
      // One that cannot be deleted keeps no other, and no training from being given out.
      if (!isSubmitted && folder !== undefined && folder.mtimeMs < before)
        await this.delete(id).catch(() => undefined);
    }
  }

  /** By rename, so that nobody sees a training of which half is gone. */
  async delete(id: string): Promise<void> {
    const gone = join(this.#root, id + DELETED);
    await rename(this.path(id), gone);
    await rm(gone, { recursive: true, force: true });
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeText(path, `${JSON.stringify(value)}\n`);
}

/** Producer and trainer may write at the same time: each by a temporary file of its own. */
async function writeText(path: string, text: string): Promise<void> {
  await writeDurably(path, text, undefined, `${path}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Undefined where there is no such file. */
async function readJsonFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
