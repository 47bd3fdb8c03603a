import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { HiddenStates } from '#model/compile/hidden-states.js';
import { Random } from '../data/random.js';
import type { TrainingRows } from '../data/read-rows.js';
import { readRows } from '../data/read-rows.js';
import type { StatedRows } from '../distil/distil-task.js';
import { distilTask } from '../distil/distil-task.js';
import { StateCache } from '../distil/state-cache.js';
import { readTrainable } from '../model/trainable-model.js';
import type { Prepared } from './prepared-training.js';
import { FIRST_VALUES, tell, tellOfDev, tokenizerOf } from './prepared-training.js';
import { distilledConfig } from './trained-config.js';
import type { TrainingHooks } from './training-hooks.js';
import type { DistilRequest } from './training-request.js';
import { workFolder } from './training-work.js';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** Reads model and corpora, and computes the hidden states. @throws CheckpointError, CorpusOpenError, TrainingDataError */
export async function prepareDistillation(
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
  const folder = workFolder(request.out);
  const caches: StateCache[] = [];
  let left = request.mostCacheBytes;
  const stated = async (of: TrainingRows, name: string, uses: number): Promise<StatedRows> => {
    const states = new StateCache(of.tokens, encoder, layers.length, config.geometry.hiddenSize);
    caches.push(states);
    const size = sizeText(states.bytes);
    if (uses > 1 && states.bytes <= left) {
      left -= states.bytes;
      const total = of.tokens.ids.length;
      const what = `hidden states of ${name} (${size} on disk)`;
      await states.keepIn(
        join(folder, `${name}.states`),
        (tokens) => onNews({ kind: 'preparing', what, fraction: tokens / total }),
        signal,
      );
    } else if (uses > 1) {
      note(
        `Hidden states of ${name} would take ${size}: they are computed anew in every epoch (--cache-size).`,
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

function sizeText(bytes: number): string {
  return bytes < GIBIBYTE ? `${(bytes / MEBIBYTE).toFixed(1)} MiB` : `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}

/** Of a distilled model: the exits before the last. */
function isNewExit({ exits }: CheckpointConfig, { newExits }: DistilRequest, name: string): boolean {
  return newExits && exits.slice(0, -1).some(({ layer }) => name.startsWith(`exits.${layer}.`));
}
