import { rmdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { openModel } from '#model/import/open-model.js';
import { CheckpointExistsError } from '#model/import/write-checkpoint.js';
import { isThere } from '#model/whole-directory.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { chooseBackend } from '../backend/choose-backend.js';
import { modelCard } from '../report/model-card.js';
import { trainingCurves } from '../report/training-curves.js';
import { prepareDistillation } from './prepare-distillation.js';
import { prepareFineTuning } from './prepare-fine-tuning.js';
import type { Prepared } from './prepared-training.js';
import type { TrainingHooks } from './training-hooks.js';
import type { TrainingOutcome, TrainingRequest } from './training-request.js';
import { readLog, removeWork, trainInFolder, workFolder } from './training-work.js';
import { writeTrained } from './write-trained.js';

/** Reads, trains, writes: the whole of a training, in this process, which it blocks. */
export async function runTraining(request: TrainingRequest, hooks: TrainingHooks): Promise<TrainingOutcome> {
  const begun = performance.now();
  if ((await isThere(resolve(request.out))) && !request.force) {
    throw new CheckpointExistsError(
      resolve(request.out),
      'Choose another --out, or replace it with --force.',
    );
  }
  const { name: backend, why } = await chooseBackend(request.backend);
  hooks.onNews({ kind: 'note', note: `Backend: ${backend} (${why}).` });
  const seconds = (): number => (performance.now() - begun) / 1000;
  const checkpoint = await openModel(request.base);
  try {
    // Nobody reads corpora for what cannot be written.
    await makeFolder(workFolder(request.out));
    const prepared = await prepare(request, checkpoint, hooks);
    try {
      const result = await trainInFolder(prepared, request, checkpoint, backend, hooks);
      const outcome = { out: request.out, ...result, backend, seconds: seconds() };
      if (result.end !== 'stopped' && result.steps === 1 && request.loop.warmUp > 0) {
        hooks.onNews({
          kind: 'note',
          note: 'There was one step alone, whose rate is 0: nothing was learned (--epochs, --batch-tokens, or --warm-up 0).',
        });
      }
      if (result.end !== 'stopped') await finish(prepared, request, checkpoint, outcome);
      return outcome;
    } finally {
      prepared.model.dispose();
      await prepared.close();
    }
  } catch (error) {
    if (hooks.signal?.aborted !== true || error !== hooks.signal.reason) throw error;
    // Stopped before the first step: there is nothing to keep.
    return {
      out: request.out,
      end: 'stopped',
      steps: 0,
      epoch: 0,
      dev: undefined,
      backend,
      seconds: seconds(),
    };
  } finally {
    await checkpoint.close();
    // Where the corpora were no good, there is nothing in it.
    await rmdir(workFolder(request.out)).catch(() => undefined);
  }
}

function prepare(request: TrainingRequest, checkpoint: Checkpoint, hooks: TrainingHooks): Promise<Prepared> {
  const note = (text: string): void => hooks.onNews({ kind: 'note', note: text });
  return request.kind === 'train'
    ? prepareFineTuning(request, checkpoint, note)
    : prepareDistillation(request, checkpoint, hooks, note);
}

/** Writes the model with its page, and leaves nothing else. */
async function finish(
  { model, rows, dev }: Prepared,
  request: TrainingRequest,
  checkpoint: Checkpoint,
  outcome: TrainingOutcome,
): Promise<void> {
  const out = resolve(request.out);
  const { text, events } = await readLog(request.out);
  const files = new Map([
    ['training.jsonl', text],
    ['training.svg', trainingCurves(basename(out), events)],
    ['README.md', modelCard({ request, outcome, config: model.config, rows, dev })],
  ]);
  await writeTrained(out, model, await checkpoint.tokenizer(), files);
  await removeWork(request.out);
}
