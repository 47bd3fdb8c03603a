import { z } from 'zod';
import { backendNames } from '../backend/backend-names.js';
import { jointModes } from '../fine-tune/joint-mode.js';
import { divergenceDirections } from '../loss/divergence-direction.js';

const fieldName = z.string().min(1).max(1024);
const fileName = z
  .string()
  .min(1)
  .max(4096)
  .describe('Name of an uploaded file, or of one below the folder that the producer allows.');
const share = z.number().min(0).max(1);
/** Each of them stands for a pass over the corpus: a slip of the finger must not keep a trainer for ever. */
export const MOST_EPOCHS = 10_000;
const layers = z
  .array(z.int().min(0).max(255))
  .min(1)
  .refine((given) => new Set(given).size === given.length, 'expected each layer once');
const baseName = z
  .string()
  .min(1)
  .max(255)
  .describe(
    'Name of a checkpoint of the folder of checkpoints, or id of a finished training. Of the first step alone.',
  );

/** How the rows of its files are read. */
const reading = {
  format: z.enum(['jsonl', 'csv', 'tsv', 'txt', 'parquet']).optional(),
  header: z.boolean().optional(),
  quotes: z.boolean().optional(),
  textField: fieldName.optional(),
  pairField: fieldName.optional(),
  labelField: fieldName.optional(),
};

/** What both kinds of training take; defaults are those of the command line. */
const training = (defaults: { epochs: number; batchTokens: number; rate: number }) => ({
  ...reading,
  data: fileName.describe('Corpus to learn from.'),
  dev: fileName.optional().describe('Corpus that every epoch is measured on; the best epoch is kept.'),
  limit: z.int().min(1).optional().describe('Learn from the first so many rows.'),
  epochs: z.int().min(1).max(MOST_EPOCHS).default(defaults.epochs),
  batchTokens: z.int().min(16).default(defaults.batchTokens).describe('Tokens of a batch.'),
  accumulate: z.int().min(1).default(1).describe('Batches that make one step.'),
  rate: z.number().positive().default(defaults.rate).describe('Highest learning rate.'),
  warmUp: share.default(0.1).describe('Share of the steps in which the rate rises; then it falls to 0.'),
  weightDecay: share.default(0.01).describe('Of AdamW; none for biases and norms.'),
  clip: z.number().positive().default(1).describe('Greatest norm of a gradient.'),
  patience: z
    .int()
    .min(0)
    .default(0)
    .describe('Epochs without a better figure on dev after which it ends; 0: never.'),
  seed: z.int().min(0).default(1),
  checkpointSteps: z
    .int()
    .min(1)
    .default(200)
    .describe('Steps between checkpoints, from which a training goes on.'),
  exitSize: z.int().min(1).default(128).describe('Width of a new exit.'),
  exitHeads: z.int().min(1).default(2).describe('Heads of its attention.'),
  backend: z.enum(backendNames).optional().describe('What computes; the fastest that loads unless given.'),
});

export const fineTuneDefaults = { epochs: 4, batchTokens: 2048, rate: 8e-5 } as const;
export const distilDefaults = { epochs: 6, batchTokens: 4096, rate: 1e-3 } as const;

/** Encoder and last exit learn labels. */
export const fineTuneStep = z.strictObject({
  kind: z.literal('train'),
  base: baseName,
  ...training(fineTuneDefaults),
  task: z.enum(['single', 'pair']).optional(),
  labels: z
    .array(z.string())
    .min(2)
    .optional()
    .describe('Names of the classes, in their order; those of the corpus unless given.'),
  newHead: z.boolean().default(false).describe('Begin with a new last exit, whatever the base has.'),
  maxLength: z.int().min(4).optional().describe('Tokens of a text, special ones included.'),
  dropout: share.default(0.1),
  classWeights: z.enum(['none', 'balanced']).default('none'),
  joint: z.enum(jointModes).default('last').describe('Which exits learn with the encoder.'),
  fromScratch: z
    .strictObject({
      layers: z.int().min(1).max(255),
      hiddenSize: z.int().min(1),
      heads: z.int().min(1),
    })
    .refine(({ hiddenSize, heads }) => hiddenSize % heads === 0, 'hiddenSize must be a multiple of heads')
    .optional()
    .describe('A new encoder of this shape; the base gives the tokenizer.'),
});
export type FineTuneStep = z.infer<typeof fineTuneStep>;

/** Exits before the last learn to answer as it does. */
export const distilStep = z.strictObject({
  kind: z.literal('distil'),
  base: baseName.optional(),
  ...training(distilDefaults),
  exits: layers.optional().describe('Layers that get an exit; all unless given.'),
  newExits: z
    .boolean()
    .default(false)
    .describe('Begin with new exits where the checkpoint has some already.'),
  direction: z.enum(divergenceDirections).default('teacher-student'),
  temperature: z.number().positive().default(1),
  hardLabels: share.default(0).describe("Share of the loss with the rows' own labels."),
  cacheSize: z.number().min(0).default(8).describe('Disk for hidden states, GiB.'),
});
export type DistilStep = z.infer<typeof distilStep>;

/** A checkpoint becomes a bundle, and a version of the model. */
const compileStep = z.strictObject({
  kind: z.literal('compile'),
  base: baseName.optional(),
  ...reading,
  precision: z
    .enum(['fp32', 'int8', 'fp16'])
    .optional()
    .describe('int8 where calibrate is given, else fp32.'),
  calibrate: fileName.optional().describe('Corpus whose first texts give the int8 scales.'),
  measure: fileName.optional().describe('Corpus whose first texts quality is measured on.'),
  minAgreement: share.optional(),
  stages: layers.optional().describe('Last layer of each stage but the final one.'),
  exits: layers.optional().describe('Exits to keep.'),
  maxLength: z.int().min(4).optional(),
  uncertaintyTop: z.int().min(2).optional(),
});
export type CompileStep = z.infer<typeof compileStep>;

/** A bundle is measured on a corpus. */
const evaluateStep = z.strictObject({
  kind: z.literal('evaluate'),
  model: z.string().max(265).optional().describe('Such as topics@3. Where no step before it made one.'),
  ...reading,
  data: fileName.describe('Corpus to measure on.'),
  speeds: z.array(share).min(1).max(50).optional(),
  policy: z
    .array(
      z
        .string()
        .min(1)
        .max(255)
        .regex(/^[\w-]+$/, 'expected names of presets'),
    )
    .min(1)
    .optional(),
  limit: z.int().min(1).optional(),
  timing: z.boolean().default(true).describe('Whether the stage engine is timed.'),
});
export type EvaluateStep = z.infer<typeof evaluateStep>;

const step = z.discriminatedUnion('kind', [fineTuneStep, distilStep, compileStep, evaluateStep]);
export type TrainingStep = z.infer<typeof step>;

/** What a training is asked to do, as the API takes it. */
export const trainingRequestSchema = z.strictObject({
  name: z.string().min(1).max(255).describe('Of the model whose version is made.'),
  promote: z
    .boolean()
    .default(false)
    .describe('Runs take the new version at once. The first version always is promoted.'),
  steps: z.array(step).min(1).max(16).describe('In order; each works on what the one before it made.'),
});
export type TrainingRequestBody = z.infer<typeof trainingRequestSchema>;

const directory = z.string().min(1);

/** The same as it is kept: a base is the directory that its name meant. */
export const placedRequestSchema = trainingRequestSchema.extend({
  steps: z
    .array(
      z.discriminatedUnion('kind', [
        fineTuneStep.extend({ base: directory }),
        distilStep.extend({ base: directory.optional() }),
        compileStep.extend({ base: directory.optional() }),
        evaluateStep,
      ]),
    )
    .min(1),
});

/** Of a step, the names of its corpora. */
export const corpusKeys = ['data', 'dev', 'calibrate', 'measure'] as const;
