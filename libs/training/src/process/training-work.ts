import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { isThere } from '#model/whole-directory.js';
import type { BackendName } from '../backend/backend-names.js';
import type { TrainingRows } from '../data/read-rows.js';
import type { LoopResult } from '../loop/train.js';
import { LossNotFiniteError } from '../loop/not-finite.js';
import { train } from '../loop/train.js';
import type { TrainingEvent } from '../loop/training-events.js';
import { eventsOf, LOG_NAME, workFolderOf } from '../report/training-log.js';
import { TrainingStates } from '../loop/training-state.js';
import type { Prepared } from './prepared-training.js';
import type { TrainingHooks } from './training-hooks.js';
import type { TrainingRequest } from './training-request.js';

/** Checkpoints of a training and its log, until it is done. @param out as the user gave it */
export function workFolder(out: string): string {
  return workFolderOf(resolve(out));
}

/** Between writes to the log, ms. */
const FLUSH_MS = 2000;

/** The log of a training that goes on or is done. */
export async function readLog(out: string): Promise<{ text: string; events: TrainingEvent[] }> {
  const text = await readFile(join(workFolder(out), LOG_NAME), 'utf8');
  return { text, events: eventsOf(text) };
}

/** Trains in the work folder: from its last checkpoint on, where there is one. @throws OtherTrainingError, TrainingStateError */
export async function trainInFolder(
  { task, rows, dev }: Prepared,
  request: TrainingRequest,
  checkpoint: Checkpoint,
  backend: BackendName,
  { signal, onNews }: TrainingHooks,
): Promise<LoopResult> {
  const folder = workFolder(request.out);
  const log = join(folder, LOG_NAME);
  const states = new TrainingStates(folder, settingsOf(request, checkpoint, rows, dev), backend);
  let pending = '';
  let flushed = performance.now();
  let flushing = Promise.resolve();
  const flush = (): Promise<void> => {
    const lines = pending;
    pending = '';
    flushed = performance.now();
    if (lines !== '') flushing = flushing.then(() => appendFile(log, lines));
    return flushing;
  };
  try {
    return await train(task, request.loop, {
      states: {
        restore: async (...of) => {
          const position = await states.restore(...of).catch(async (error: unknown) => {
            if (!request.force) throw error;
            await states.clear();
            return undefined;
          });
          await keepLines(log, position?.step ?? 0);
          const before = position?.backend ?? backend;
          if (before !== backend) {
            const note = `Going on with ${backend}: its numbers differ a little from those of ${before}, which computed before.`;
            onNews({ kind: 'note', note });
          }
          return position;
        },
        save: async (...of) => {
          await flush();
          await states.save(...of);
        },
      },
      signal,
      onResume: (step) => onNews({ kind: 'note', note: `Going on from the checkpoint of step ${step}.` }),
      onEvent: (event) => {
        pending += `${JSON.stringify(event)}\n`;
        // Whoever looks at the log sees it grow; an error shows when the next checkpoint waits for it.
        if (performance.now() - flushed > FLUSH_MS) flush().catch(() => undefined);
        onNews(event);
      },
    });
  } catch (error) {
    // What the step before made is not good, as this one's loss shows.
    if (error instanceof LossNotFiniteError) await states.remove(error.step - 1);
    throw error;
  } finally {
    await flush();
  }
}

/** Nothing is left of a training that is done. */
export async function removeWork(out: string): Promise<void> {
  await rm(workFolder(out), { recursive: true, force: true });
}

/** Leaves of a log what was before a step, or makes an empty one. */
async function keepLines(path: string, step: number): Promise<void> {
  const text = step === 0 || !(await isThere(path)) ? '' : await readFile(path, 'utf8');
  const kept = eventsOf(text).filter((event) => event.step <= step);
  await writeFile(path, kept.map((event) => `${JSON.stringify(event)}\n`).join(''));
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
  } = request.kind === 'distil' ? { ...request, mostCacheBytes: 0 } : request;
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
