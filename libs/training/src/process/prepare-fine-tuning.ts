import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { Random } from '../data/random.js';
import { readRows, TrainingDataError } from '../data/read-rows.js';
import { balancedWeights, fineTuneTask } from '../fine-tune/fine-tune-task.js';
import { readTrainable } from '../model/trainable-model.js';
import type { Prepared } from './prepared-training.js';
import { FIRST_VALUES, tell, tellOfDev, tokenizerOf } from './prepared-training.js';
import { fineTunedConfig, fineTunedLength, keptHead } from './trained-config.js';
import type { FineTuneRequest } from './training-request.js';

/** Reads model and corpora. @throws CheckpointError, CorpusOpenError, TrainingDataError */
export async function prepareFineTuning(
  request: FineTuneRequest,
  checkpoint: Checkpoint,
  note: (text: string) => void,
): Promise<Prepared> {
  const task = request.task ?? checkpoint.config.task;
  const { config: base } = checkpoint;
  const maxLength = fineTunedLength(base, request);
  const tokenizer = await tokenizerOf(checkpoint, { specialTokens: base.specialTokens, maxLength });
  const labels = request.labels ?? (keptHead(base, request) === undefined ? undefined : base.labels);
  const advice =
    request.labels === undefined
      ? " They are the base's; a new head begins with others (--new-head, or newHead of a step)."
      : '';
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
  const config = fineTunedConfig(base, { ...request, task }, rows.labels);
  const before = keptHead(base, request) && base.labels;
  if (before !== undefined && before.join() !== rows.labels.join()) {
    note(`The head goes on with other labels: ${rows.labels.join(', ')} in place of ${before.join(', ')}.`);
  }
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

/** Of a fine-tuned model: everything from scratch, or the head. */
function isNew({ fromScratch, newHead }: FineTuneRequest, name: string): boolean {
  return fromScratch !== undefined || (newHead && name.startsWith('exits.'));
}
