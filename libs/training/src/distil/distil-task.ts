import * as tf from '@tensorflow/tfjs-core';
import type { Exit } from '#model/checkpoint/exit.js';
import { lengthBatches } from '../data/length-batches.js';
import type { TrainingRows } from '../data/read-rows.js';
import type { ExitFigure, TrainingTask } from '../loop/training-task.js';
import type { BatchShape } from '../model/encoder.js';
import { exitLogits } from '../model/exit-logits.js';
import type { LossGradients } from '../model/loss-gradients.js';
import { greatest } from '../model/predict.js';
import type { TrainableModel } from '../model/trainable-model.js';
import { exitNames } from '../model/trained-names.js';
import { attentionMask } from '../nn/attention-probabilities.js';
import type { DistilLoss } from './distil-gradients.js';
import { distilGradients } from './distil-gradients.js';
import type { StateCache } from './state-cache.js';

/** A corpus and the hidden states of its rows, of each exit's layer in the order of the exits. */
export interface StatedRows {
  readonly rows: TrainingRows;
  readonly states: StateCache;
}

const BATCH_TOKENS = 4096;

/** Exits before the last learn to answer as the last does; nothing else changes. */
export function distilTask(
  model: TrainableModel,
  corpus: StatedRows,
  dev: StatedRows | undefined,
  loss: DistilLoss,
): TrainingTask {
  const { config } = model;
  const students = config.exits.slice(0, -1);
  const layers = students.map(({ layer }) => layer);
  return {
    phase: 'distil',
    model,
    trained: exitNames(config, layers),
    lengths: corpus.rows.lengths,
    numbers: corpus.rows.numbers,
    gradients: (batchRows) => studentGradients(model, students, corpus, batchRows, loss),
    evaluate: dev && (() => figuresOf(model, dev)),
    score: (figures) => {
      const own = figures.filter(({ layer }) => layers.includes(layer));
      return own.reduce((sum, { share }) => sum + share, 0) / own.length;
    },
  };
}

async function studentGradients(
  model: TrainableModel,
  students: readonly Exit[],
  corpus: StatedRows,
  batchRows: Int32Array,
  loss: DistilLoss,
): Promise<LossGradients> {
  const { shape, states } = await batchOf(corpus, batchRows);
  const width = model.config.geometry.hiddenSize;
  const tensors = states.map((state) => tf.tensor(state, [state.length / width, width]));
  try {
    const teacherLogits = tf.tidy(() =>
      exitLogits(model.weights, model.config.exits.at(-1)!, tensors.at(-1)!, shape, true),
    );
    const golds = corpus.rows.golds && batchRows.map((row) => corpus.rows.golds![row]!);
    const byLayer = new Map(students.map(({ layer }, index) => [layer, tensors[index]!]));
    try {
      return distilGradients(model, students, { shape, states: byLayer, teacherLogits, golds }, loss);
    } finally {
      teacherLogits.dispose();
    }
  } finally {
    tf.dispose(tensors);
    shape.mask?.dispose();
  }
}

async function batchOf(
  { rows, states }: StatedRows,
  batchRows: Int32Array,
): Promise<{ shape: BatchShape; states: Float32Array[] }> {
  const lengths = batchRows.map((row) => rows.lengths[row]!);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const numbers = await states.batch(batchRows, longest);
  return {
    shape: { rows: batchRows.length, longest, mask: attentionMask(lengths, longest) },
    states: numbers,
  };
}

/** Of each exit: the share of rows that it labels right, or as the teacher does where they have no labels. */
async function figuresOf(model: TrainableModel, dev: StatedRows): Promise<ExitFigure[]> {
  const { exits, labels, geometry } = model.config;
  const right = new Float64Array(exits.length);
  for (const batchRows of lengthBatches(dev.rows.lengths, BATCH_TOKENS, [0])) {
    const { shape, states } = await batchOf(dev, batchRows);
    const answers = exits.map((exit, index) =>
      tf.tidy(() => {
        const state = states[index]!;
        const tensor = tf.tensor(state, [state.length / geometry.hiddenSize, geometry.hiddenSize]);
        const logits = exitLogits(model.weights, exit, tensor, shape, true).dataSync();
        return batchRows.map((_, place) => greatest(logits, place, labels.length));
      }),
    );
    shape.mask?.dispose();
    for (const [place, row] of batchRows.entries()) {
      const wanted = dev.rows.golds?.[row] ?? answers.at(-1)![place];
      for (const [index, given] of answers.entries()) if (given[place] === wanted) right[index]! += 1;
    }
  }
  return exits.map(({ layer }, index) => ({ layer, share: right[index]! / dev.rows.lengths.length }));
}
