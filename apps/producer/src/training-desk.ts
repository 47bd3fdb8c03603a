import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Settings } from '#config/settings-schema.js';
import { isModelName } from '#model/registry/model-name.js';
import type { TrainingQueue } from '#queue/training-queue.js';
import { UsageError } from '#run/usage-error.js';
import { checkSteps } from '#training/job/check-steps.js';
import type { TrainingFolders } from '#training/job/training-folders.js';
import { NoSuchTrainingError } from '#training/job/training-folders.js';
import type { TrainingRequestBody, TrainingStep } from '#training/job/training-steps.js';
import { corpusKeys } from '#training/job/training-steps.js';
import type { TrainingView } from '#training/job/training-view.js';
import { isTrainingUnderWay } from '#training/job/training-view.js';
import { eventsOf, logText } from '#training/report/training-log.js';
import { trainingCurves } from '#training/report/training-curves.js';
import { ApiError } from './api-errors.js';
import type { Caller } from './api-keys.js';
import { allows } from './api-keys.js';
import { inputPath, inputRoots } from './input-path.js';
import type { ModelShelf } from './model-shelf.js';
import type { StoredUpload, Upload } from './store-uploads.js';
import { storeUploads } from './store-uploads.js';
import { toldPaths } from './told-paths.js';

const RETRY_AFTER_S = 60;

export interface TrainingDeskParts {
  readonly folders: TrainingFolders;
  readonly queue: TrainingQueue;
  readonly models: ModelShelf;
  readonly settings: Pick<Settings, 'training' | 'producer'>;
}

/** What people do with trainings: submit, look at, cancel, resume and delete them. */
export class TrainingDesk {
  readonly #parts: TrainingDeskParts;

  constructor(parts: TrainingDeskParts) {
    this.#parts = parts;
  }

  /**
   * @param uploads corpora, by whose names the steps may name them
   * @throws ApiError, UsageError, InputPathError, StepsError: nothing is left of the training then
   */
  async submit(
    request: TrainingRequestBody,
    uploads: AsyncIterable<Upload>,
    caller: Caller,
  ): Promise<TrainingView> {
    const { folders, queue, settings } = this.#parts;
    if (!isModelName(request.name)) {
      throw new UsageError(
        `A model cannot be called ${JSON.stringify(request.name)}: use letters, digits, . _ -, no more than 200 bytes`,
      );
    }
    checkSteps(request.steps);
    if (request.promote && !allows(caller.scope, 'admin')) {
      throw new ApiError(
        403,
        'scope',
        `promote needs a key of scope admin; ${caller.id} has ${caller.scope}.`,
      );
    }
    await this.#expectRoom();
    const id = folders.newId();
    const folder = await folders.create(id);
    try {
      const uploaded = await storeUploads(uploads, folder, settings.producer.limits.uploadBytes);
      const steps: TrainingStep[] = [];
      for (const step of request.steps) steps.push(await this.#placed(step, uploaded));
      await folders.submit({
        id,
        owner: caller.id,
        createdAt: new Date().toISOString(),
        request: { ...request, steps },
      });
    } catch (error) {
      await folders.delete(id);
      throw error;
    }
    // While Redis is away it waits in its folder, and is given out later.
    await queue.add(id).catch(() => undefined);
    return this.view(id);
  }

  /** The latest first. */
  async list(): Promise<TrainingView[]> {
    const { folders } = this.#parts;
    const views = await Promise.all((await folders.ids()).map((id) => this.#told(id).catch(() => undefined)));
    return views
      .filter((view) => view !== undefined)
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id));
  }

  /** @throws ApiError where there is none */
  async view(id: string): Promise<TrainingView> {
    const view = await this.#told(id).catch(notFound);
    if (view.phase !== 'waiting') return view;
    const trainers = await this.#parts.queue.trainers();
    return trainers === 0 ? { ...view, waitsFor: 'There is no trainer.' } : view;
  }

  /** With files by names that clients know. @throws NoSuchTrainingError */
  async #told(id: string): Promise<TrainingView> {
    const { folders, models, settings } = this.#parts;
    const view = await folders.view(id);
    const roots = [
      folders.path(id),
      folders.path(id, 'input'),
      models.registry.root,
      settings.training.checkpoints,
      ...(await inputRoots(settings.producer.inputRoot)),
    ];
    return {
      ...view,
      error: view.error === undefined ? undefined : toldPaths(view.error, roots),
      steps: view.steps.map((step) => ({
        ...step,
        notes: step.notes.map((note) => toldPaths(note, roots)),
      })),
    };
  }

  /** What a step has logged so far, as JSON lines; of a step that does not train, nothing. @param step from 0 @throws ApiError */
  async log(id: string, step: number): Promise<string> {
    const { folders } = this.#parts;
    const training = await folders.submitted(id).catch(notFound);
    const { steps } = training.request;
    const found = steps[step];
    if (found === undefined) {
      throw new ApiError(404, 'no-such-step', `Training ${id} has steps 0 to ${steps.length - 1}.`);
    }
    const trains = found.kind === 'train' || found.kind === 'distil';
    return trains ? logText(folders.outPath(training, step)) : '';
  }

  /** Curves of a step so far, as SVG. @throws ApiError where there are none yet */
  async curves(id: string, step: number): Promise<string> {
    const events = eventsOf(await this.log(id, step));
    if (events.length === 0)
      throw new ApiError(404, 'no-curves', 'The step has no curves yet, or makes none.');
    const { name } = await this.view(id);
    return trainingCurves(name, events);
  }

  /** What an evaluation found, as JSON. @param step from 0 @throws ApiError while there is none */
  async evaluation(id: string, step: number): Promise<string> {
    const { folders } = this.#parts;
    const training = await folders.submitted(id).catch(notFound);
    const isEvaluation = training.request.steps[step]?.kind === 'evaluate';
    const text = isEvaluation
      ? await readFile(join(folders.outPath(training, step), 'evaluation.json'), 'utf8').catch(
          () => undefined,
        )
      : undefined;
    if (text !== undefined) return text;
    throw new ApiError(404, 'no-evaluation', `Step ${step} of training ${id} has no evaluation.`);
  }

  async cancel(id: string, caller: Caller): Promise<TrainingView> {
    const { folders, queue } = this.#parts;
    await this.#expectMay(id, caller);
    if (!isTrainingUnderWay(await folders.state(id))) throw conflict(id, 'is over already');
    await folders.cancel(id);
    await queue.remove(id);
    return this.view(id);
  }

  /** Goes on where it was. */
  async resume(id: string, caller: Caller): Promise<TrainingView> {
    const { folders, queue } = this.#parts;
    await this.#expectMay(id, caller);
    const { phase } = await folders.state(id);
    if (phase !== 'cancelled' && phase !== 'failed') throw conflict(id, 'needs no resuming');
    await folders.resume(id);
    await queue.add(id).catch(() => undefined);
    return this.view(id);
  }

  async delete(id: string, caller: Caller): Promise<void> {
    const { folders, queue } = this.#parts;
    await this.#expectMay(id, caller);
    if (isTrainingUnderWay(await folders.state(id))) throw conflict(id, 'is under way: cancel it first');
    if (await queue.isActive(id)) throw conflict(id, 'is being stopped: try again in a few seconds');
    const user = await this.#userOf(id);
    if (user !== undefined) throw conflict(id, `is the base of training ${user}, which is under way`);
    await folders.delete(id);
  }

  /** A training under way that begins with what this one has made. */
  async #userOf(id: string): Promise<string | undefined> {
    const { folders } = this.#parts;
    const made = folders.path(id) + sep;
    for (const other of await folders.ids()) {
      const state = await folders.state(other).catch(() => undefined);
      if (state === undefined || !isTrainingUnderWay(state)) continue;
      const submitted = await folders.submitted(other).catch(() => undefined);
      if (submitted?.request.steps.some((step) => step.kind !== 'evaluate' && step.base?.startsWith(made)))
        return other;
    }
    return undefined;
  }

  async #expectMay(id: string, caller: Caller): Promise<void> {
    const { owner } = await this.#parts.folders.submitted(id).catch(notFound);
    if (owner === caller.id || allows(caller.scope, 'admin')) return;
    throw new ApiError(403, 'not-yours', `Training ${id} is of ${owner}: this needs a key of scope admin.`);
  }

  async #expectRoom(): Promise<void> {
    const { folders, settings } = this.#parts;
    const { trainingsKept } = settings.producer.limits;
    const kept = (await folders.ids()).length;
    if (kept < trainingsKept) return;
    const message = `${kept} trainings are kept, and no more than ${trainingsKept} may be: delete some.`;
    throw new ApiError(429, 'too-many-trainings', message, RETRY_AFTER_S);
  }

  /** A step with paths in place of names. */
  async #placed(step: TrainingStep, uploaded: readonly StoredUpload[]): Promise<TrainingStep> {
    const placed = { ...step };
    for (const key of corpusKeys) {
      const name: unknown = Reflect.get(placed, key);
      if (typeof name === 'string') Reflect.set(placed, key, await this.#corpus(name, uploaded));
    }
    if (placed.kind === 'evaluate') {
      if (placed.model !== undefined) await this.#parts.models.version(placed.model);
    } else if (placed.base !== undefined) {
      placed.base = await this.#base(placed.base);
    }
    return placed;
  }

  async #corpus(name: string, uploaded: readonly StoredUpload[]): Promise<string> {
    const [upload, second] = uploaded.filter((each) => each.name === name);
    if (second !== undefined) throw new UsageError(`Two files are called ${name}.`);
    return upload?.path ?? inputPath(this.#parts.settings.producer.inputRoot, name);
  }

  /** Directory of a checkpoint of the folder, or of what a training made. */
  async #base(name: string): Promise<string> {
    const { folders, settings } = this.#parts;
    const training = await folders.view(name).catch(() => undefined);
    if (training !== undefined) {
      const step = training.steps.findLastIndex(
        ({ kind, phase }) => (kind === 'train' || kind === 'distil') && phase === 'finished',
      );
      if (step >= 0) return folders.outPath(await folders.submitted(name), step);
      throw new UsageError(`Training ${name} has made no checkpoint.`);
    }
    const { checkpoints } = settings.training;
    const names = (await readdir(checkpoints).catch(() => [])).filter(isModelName);
    const path = join(checkpoints, name);
    const isThere = names.includes(name) && (await stat(path)).isDirectory();
    if (isThere) return path;
    throw new UsageError(
      `There is no checkpoint ${JSON.stringify(name)}. Checkpoints: ${names.sort().join(', ') || 'none'}; the id of a training names what it made.`,
    );
  }
}

function notFound(error: unknown): never {
  if (error instanceof NoSuchTrainingError) throw new ApiError(404, 'no-such-training', error.message);
  throw error;
}

const conflict = (id: string, problem: string): ApiError =>
  new ApiError(409, 'wrong-phase', `Training ${id} ${problem}.`);
