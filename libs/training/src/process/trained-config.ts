import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { checkConfig, CheckpointError } from '#model/checkpoint/checkpoint-config.js';
import type { Exit } from '#model/checkpoint/exit.js';
import type { DistilRequest, FineTuneRequest } from './training-request.js';

/** Tokens of a text unless told. */
const MAX_LENGTH = 128;

/** The head of the base that a fine-tuned model goes on with; none where it begins with a new one. */
export function keptHead(
  base: CheckpointConfig,
  { newHead, fromScratch }: Pick<FineTuneRequest, 'newHead' | 'fromScratch'>,
): Exit | undefined {
  return newHead || fromScratch !== undefined ? undefined : base.exits.at(-1);
}

/** Tokens that a text of a fine-tuned model has at most. */
export function fineTunedLength(
  { exits, maxLength, geometry }: CheckpointConfig,
  request: Pick<FineTuneRequest, 'maxLength'>,
): number {
  return request.maxLength ?? Math.min(exits.length > 0 ? maxLength : MAX_LENGTH, geometry.maxPositions);
}

/**
 * The configuration of a fine-tuned model: the base's encoder, and the exits that learn.
 * @param labels those of the corpus
 * @throws CheckpointError where it cannot be, such as with the head of another number of labels
 */
export function fineTunedConfig(
  base: CheckpointConfig,
  request: FineTuneRequest,
  labels: readonly string[],
): CheckpointConfig {
  const { base: path, fromScratch, joint, exit, task } = request;
  const geometry = {
    ...base.geometry,
    ...fromScratch,
    ...(fromScratch && { embeddingSize: fromScratch.hiddenSize }),
  };
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice !== undefined) {
    throw new CheckpointError(path, `a model cannot have the label ${JSON.stringify(twice)} twice.`);
  }
  const kept = keptHead(base, request);
  if (kept !== undefined && (base.problem !== 'single-label' || base.labels.length !== labels.length)) {
    throw new CheckpointError(
      path,
      `its head is ${base.problem} with ${base.labels.length} labels, the corpus has ${labels.length}, of which a text has one; begin with a new head (--new-head, or newHead of a step).`,
    );
  }
  if (kept !== undefined && isReordered(base.labels, labels)) {
    throw new CheckpointError(
      path,
      `its head has the labels in the order ${base.labels.join(', ')}; give them so, or begin with a new head (--new-head).`,
    );
  }
  const fresh = (layer: number): Exit => ({ layer, kind: 'fastbert', ...exit });
  const last = kept ?? fresh(geometry.layers);
  const before = joint === 'last' ? [] : Array.from({ length: geometry.layers }, (_, layer) => fresh(layer));
  const config: CheckpointConfig = {
    geometry,
    labels,
    problem: 'single-label',
    task: task ?? base.task,
    maxLength: fineTunedLength(base, request),
    specialTokens: base.specialTokens,
    exits: [...before, last],
  };
  checkConfig(path, config);
  return config;
}

/** Whether labels are the same in another order. */
function isReordered(known: readonly string[], labels: readonly string[]): boolean {
  const isSame = labels.every((label) => known.includes(label));
  return isSame && labels.some((label, index) => label !== known[index]);
}

/**
 * The configuration of a distilled model: the base's, with new exits before the last.
 * @throws CheckpointError where there is no teacher, or no layer for an exit
 */
export function distilledConfig(
  path: string,
  base: CheckpointConfig,
  { layers, exit }: Pick<DistilRequest, 'layers' | 'exit'>,
): CheckpointConfig {
  const teacher = base.exits.at(-1);
  if (teacher === undefined) {
    throw new CheckpointError(path, 'it has no exit to learn from: train one first (sluice train).');
  }
  if (base.problem !== 'single-label') {
    throw new CheckpointError(
      path,
      `its answers are ${base.problem}; exits learn those of single-label models only.`,
    );
  }
  const wanted = layers ?? Array.from({ length: base.geometry.layers }, (_, layer) => layer);
  const beyond = wanted.find((layer) => layer >= base.geometry.layers);
  if (beyond !== undefined) {
    throw new CheckpointError(
      path,
      `an exit that learns lies before layer ${base.geometry.layers}, the teacher's; got ${beyond}.`,
    );
  }
  const students = wanted
    .toSorted((a, b) => a - b)
    .map((layer): Exit => ({ layer, kind: 'fastbert', ...exit }));
  const config = { ...base, exits: [...students, teacher] };
  checkConfig(path, config);
  return config;
}
