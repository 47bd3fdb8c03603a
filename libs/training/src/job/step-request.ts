import type { CorpusOptions, ReadOptions } from '#corpus/corpus-options.js';
import type { DistilRequest, FineTuneRequest, ScratchGeometry } from '../process/training-request.js';
import type { DistilStep, FineTuneStep } from './training-steps.js';

/** Where a training reads and writes, and what is not part of its numbers. */
export interface TrainingPlaces {
  readonly base: string;
  readonly out: string;
  readonly force: boolean;
  readonly data: string;
  readonly dev: string | undefined;
  /** Name and version of the program. */
  readonly tool: string;
}

type Limits = Pick<ReadOptions, 'maxRowBytes' | 'maxColumns' | 'maxDecompressedBytes'>;
type Common = Pick<
  FineTuneRequest,
  'out' | 'base' | 'force' | 'data' | 'dev' | 'loop' | 'backend' | 'exit' | 'tool'
>;

const GIBIBYTE = 2 ** 30;

/** What a fine-tuning is asked to do, in the terms of the process that trains. */
export function fineTuneRequest(
  step: Omit<FineTuneStep, 'kind' | 'base' | 'data' | 'dev'> & Limits,
  places: TrainingPlaces,
): FineTuneRequest {
  const { task, labels, newHead, maxLength, dropout, classWeights, joint, fromScratch } = step;
  return {
    ...commonRequest(step, places),
    kind: 'train',
    task,
    labels,
    newHead,
    maxLength,
    dropout,
    classWeights,
    joint,
    fromScratch: fromScratch && scratchOf(fromScratch),
  };
}

/** The same of a distillation. */
export function distilRequest(
  step: Omit<DistilStep, 'kind' | 'base' | 'data' | 'dev'> & Limits,
  places: TrainingPlaces,
): DistilRequest {
  const { exits, newExits, direction, temperature, hardLabels, cacheSize } = step;
  const common = commonRequest(step, places);
  return {
    ...common,
    kind: 'distil',
    // The field is that of dev alone where no labels are learned: texts need none.
    data: hardLabels > 0 ? common.data : { ...common.data, labelField: undefined },
    layers: exits,
    newExits,
    loss: { direction, temperature, hardLabels },
    mostCacheBytes: cacheSize * GIBIBYTE,
  };
}

function commonRequest(
  step: (
    Omit<FineTuneStep, 'kind' | 'base' | 'data' | 'dev'> | Omit<DistilStep, 'kind' | 'base' | 'data' | 'dev'>
  ) &
    Limits,
  { base, out, force, data, dev, tool }: TrainingPlaces,
): Common {
  const { format, header, quotes, textField, pairField, labelField } = step;
  const { maxRowBytes, maxColumns, maxDecompressedBytes } = step;
  const fields = { format, header, quotes, textField, pairField, labelField };
  const reading = { ...fields, maxRowBytes, maxColumns, maxDecompressedBytes };
  const corpus = (path: string): CorpusOptions => ({ ...reading, paths: [path] });
  const { epochs, batchTokens, accumulate, rate, warmUp, weightDecay, clip, seed, patience } = step;
  const { checkpointSteps, backend, exitSize: size, exitHeads: heads } = step;
  return {
    base,
    out,
    force,
    data: { ...corpus(data), limit: step.limit },
    dev: dev === undefined ? undefined : corpus(dev),
    loop: {
      epochs,
      batchTokens,
      accumulate,
      rate,
      warmUp,
      weightDecay,
      clip,
      seed,
      patience,
      checkpointSteps,
    },
    backend,
    exit: { size, heads },
    tool,
  };
}

/** BERT's feed-forward part is four times as wide as its hidden states. */
function scratchOf({
  layers,
  hiddenSize,
  heads,
}: Omit<ScratchGeometry, 'intermediateSize'>): ScratchGeometry {
  return { layers, hiddenSize, heads, intermediateSize: 4 * hiddenSize };
}
