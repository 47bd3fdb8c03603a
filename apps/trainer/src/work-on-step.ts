import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '#config/settings-schema.js';
import { modelReference } from '#model/registry/model-name.js';
import type { ModelRegistry, ModelVersion } from '#model/registry/model-registry.js';
import { isThere, writeWholeDirectory } from '#model/whole-directory.js';
import { distilRequest, fineTuneRequest } from '#training/job/step-request.js';
import type { SubmittedTraining, TrainingFolders } from '#training/job/training-folders.js';
import type {
  CompileStep,
  DistilStep,
  EvaluateStep,
  FineTuneStep,
  TrainingStep,
} from '#training/job/training-steps.js';
import type { StepResult } from '#training/job/training-view.js';
import { trainInProcess } from '#training/process/training-process.js';
import { compileArguments, evaluateArguments } from './command-arguments.js';
import { runCommand } from './command-process.js';
import { killingSignal } from './killing-signal.js';
import type { StepTeller } from './step-teller.js';

export interface StepWork {
  readonly training: SubmittedTraining;
  /** Of the step, from 0. */
  readonly index: number;
  readonly step: TrainingStep;
  readonly folders: TrainingFolders;
  readonly models: ModelRegistry;
  readonly teller: StepTeller;
  readonly signal: AbortSignal;
  readonly settings: Settings['trainer'];
}

type Of<Step> = StepWork & { readonly step: Step };

/** Files of a checkpoint that go with the bundle. */
const CARD_FILES = ['README.md', 'training.svg', 'training.jsonl'];
const ORIGIN = 'origin.json';

/**
 * Does one step, or what a trainer before this one has left of it.
 * @throws what the step throws; the signal's reason where it is stopped
 */
export async function workOnStep(work: StepWork): Promise<Omit<StepResult, 'seconds'>> {
  const { step } = work;
  await removePartial(work);
  switch (step.kind) {
    case 'train':
    case 'distil':
      return train({ ...work, step });
    case 'compile':
      return compile({ ...work, step });
    case 'evaluate':
      return evaluate({ ...work, step });
  }
}

/** What a process that was killed was about to write. */
async function removePartial({ training, index, folders }: StepWork): Promise<void> {
  const folder = folders.stepPath(training.id, index, 'out');
  for (const name of await readdir(folder)) {
    if (name.includes('.partial-')) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function train(work: Of<FineTuneStep | DistilStep>): Promise<Omit<StepResult, 'seconds'>> {
  const { step, teller, signal, settings } = work;
  const out = outOf(work);
  // Whole, as it was made by a trainer that could not say so any more.
  if (await isThere(out)) return {};
  const places = {
    base: checkpointOf(work),
    out,
    force: false,
    data: step.data,
    dev: step.dev,
    tool: 'sluice trainer',
  };
  const backend = step.backend ?? (settings.backend === 'auto' ? undefined : settings.backend);
  const request =
    step.kind === 'train'
      ? fineTuneRequest({ ...step, backend }, places)
      : distilRequest({ ...step, backend }, places);
  const outcome = await trainInProcess(request, {
    signal,
    kill: killingSignal(signal),
    onNews: (news) => teller.news(news, step.checkpointSteps),
  });
  signal.throwIfAborted();
  if (outcome.end === 'early') teller.note(`Ended early, with the numbers of epoch ${outcome.epoch}.`);
  return {};
}

async function compile(work: Of<CompileStep>): Promise<Omit<StepResult, 'seconds'>> {
  const { training, models, teller, signal, index, step } = work;
  const { name, promote } = training.request;
  const out = outOf(work);
  const checkpoint = checkpointOf(work);
  const args = [checkpoint, '--force', `--out=${out}`, ...compileArguments(step)];
  if (!(await isThere(out))) await runCommand('compile', args, signal, (line) => teller.note(line));
  for (const file of CARD_FILES) {
    if (await isThere(join(checkpoint, file))) await cp(join(checkpoint, file), join(out, file));
  }
  // By which a trainer that dies before it says so is known to have registered it.
  const origin = JSON.stringify({ training: training.id, step: index });
  await writeFile(join(out, ORIGIN), `${origin}\n`);
  signal.throwIfAborted();
  const registered = (await registeredBefore(models, name, origin)) ?? (await models.add(name, out));
  signal.throwIfAborted();
  if (promote) await models.promote(name, registered.version);
  teller.note(`Registered as ${name}@${registered.version}.`);
  return { version: registered.version };
}

async function registeredBefore(
  models: ModelRegistry,
  name: string,
  origin: string,
): Promise<ModelVersion | undefined> {
  for (const version of await models.versions(name)) {
    const text = await readFile(join(version.directory, ORIGIN), 'utf8').catch(() => '');
    if (text.trim() === origin) return version;
  }
  return undefined;
}

async function evaluate(work: Of<EvaluateStep>): Promise<Omit<StepResult, 'seconds'>> {
  const { teller, signal, step } = work;
  const out = outOf(work);
  const { directory, version, isOurs } = await versionOf(work);
  const evaluation = join(out, 'evaluation.json');
  const args = [step.data, `--model=${directory}`, `--out=${out}`, ...evaluateArguments(step)];
  if (!(await isThere(evaluation))) await runCommand('evaluate', args, signal, (line) => teller.note(line));
  if (!isOurs) return {};
  // Of a version that this training made: what others measure of it is not its own word about itself.
  await writeWholeDirectory(join(directory, 'evaluation'), (folder) => cp(out, folder, { recursive: true }));
  teller.note(`Kept beside the bundle of version ${version}.`);
  return {};
}

/** What a step makes. */
function outOf({ training, index, folders }: StepWork): string {
  return folders.outPath(training, index);
}

/** The checkpoint that the latest training step before this one made; else the base of the first step. */
function checkpointOf({ training, index, folders }: StepWork): string {
  const { steps } = training.request;
  const before = steps.slice(0, index).findLastIndex(({ kind }) => kind === 'train' || kind === 'distil');
  if (before >= 0) return folders.outPath(training, before);
  const base = steps.find((step) => step.kind !== 'evaluate' && step.base !== undefined);
  if (base === undefined || base.kind === 'evaluate')
    throw new TypeError('A training without a base was submitted.');
  return base.base!;
}

/** The version that a step before this one registered; else the one that it names. */
async function versionOf({
  training,
  index,
  step,
  folders,
  models,
}: Of<EvaluateStep>): Promise<ModelVersion & { readonly isOurs: boolean }> {
  for (let before = index - 1; before >= 0; before -= 1) {
    const version = (await folders.result(training.id, before))?.version;
    if (version === undefined) continue;
    return { ...(await models.version(training.request.name, version)), isOurs: true };
  }
  const { name, version } = modelReference(step.model ?? training.request.name) ?? { name: step.model ?? '' };
  return { ...(await models.version(name, version)), isOurs: false };
}
