import { z } from 'zod';
import type { AnswerForm } from '#pipeline/answer-form.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { specialTokenRules } from '#tokenizer/special-tokens.js';
import { exitSchema } from '../checkpoint/exit.js';

/** Version of the format; a bundle of another version is refused. */
export const BUNDLE_FORMAT = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A file of the bundle, beside bundle.json: a bare name, so no path can leave the bundle's directory. */
const bundleFile = z.object({
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected the bare name of a file beside bundle.json'),
  sha256,
});
const share = z.number().min(0).max(1);

const exitQualitySchema = z.object({
  layer: z.int().nonnegative(),
  /** Share of the measured texts to which this exit gives the label that it gives in float32. */
  agreement: share,
  /** Share of the labelled texts that it labels right; absent without labels. */
  accuracy: share.optional(),
  accuracyFp32: share.optional(),
});
export type ExitQuality = z.infer<typeof exitQualitySchema>;

const presetSchema = z.object({
  /** Layer of the exit → threshold. */
  thresholds: z.record(z.string(), z.number().min(0).max(1)),
  /** Share of the measured texts labelled as at full depth. */
  agreement: share.optional(),
  /** Layers that a measured text runs through on average. */
  meanLayers: z.number().nonnegative().optional(),
});
export type Preset = z.infer<typeof presetSchema>;

const leavingSchema = z.object({
  /** The threshold of every exit. */
  speed: z.number().min(0).max(1),
  /** Share of the measured texts that leave at each exit with it, `[exits]`. */
  shares: z.array(share),
});
export type Leaving = z.infer<typeof leavingSchema>;

export const manifestSchema = z.object({
  format: z.literal(BUNDLE_FORMAT, {
    error: ({ input }) =>
      `this program reads bundles of format ${BUNDLE_FORMAT}, got ${JSON.stringify(input)}; compile the checkpoint again`,
  }),
  name: z.string(),
  labels: z.array(z.string()).min(1).max(65_535),
  problem: z.enum(['single-label', 'multi-label', 'regression']).default('single-label'),
  /** Multi-label: from which probability on a text has each label, `[labels]`. */
  thresholds: z.array(share).optional(),
  /** The uncertainty is that of so many of the most probable labels; of all where left out. */
  uncertaintyTop: z.int().min(2).optional(),
  task: z.enum(['single', 'pair']),
  maxLength: z.int().positive(),
  specialTokens: z.enum(specialTokenRules),
  geometry: z.object({
    vocabSize: z.int().positive(),
    hiddenSize: z.int().positive(),
    /** Width of the embedding tables, where it is not the hidden size. */
    embeddingSize: z.int().positive().optional(),
    layers: z.int().positive().max(255),
    heads: z.int().positive(),
    intermediateSize: z.int().positive(),
    maxPositions: z.int().positive(),
  }),
  exits: z.array(exitSchema).min(1),
  stages: z
    .array(
      bundleFile.extend({
        /** First and last layer; null for a stage of exit 0 alone. */
        layers: z.tuple([z.int().positive(), z.int().positive()]).nullable(),
        exits: z.array(z.int().nonnegative()),
      }),
    )
    .min(1),
  precision: z.enum(['fp32', 'int8', 'fp16']),
  /** Number format of the hidden states between stages. */
  activation: z.enum(['float32', 'float16']),
  /** Matmuls of an int8 bundle that stayed in float32. */
  float32Matmuls: z.array(z.string()),
  tokenizer: bundleFile,
  golden: bundleFile,
  presets: z.record(z.string(), presetSchema),
  provenance: z.object({
    checkpoint: sha256,
    /** Over the calibration texts; null where none were needed. */
    calibration: sha256.nullable(),
    tool: z.string(),
  }),
  /** Measured at compile over `texts` texts; null where none were given. */
  quality: z
    .object({
      texts: z.int().positive(),
      exits: z.array(exitQualitySchema),
      /** Where the texts leave, by speed, ascending: what a run's exits are compared with. Older bundles have none. */
      leaving: z.array(leavingSchema).optional(),
    })
    .nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Where nothing says from which probability on a text has a label. */
export const DEFAULT_THRESHOLD = 0.5;

export function answerFormOf({
  problem,
  labels,
  thresholds = labels.map(() => DEFAULT_THRESHOLD),
}: {
  readonly problem: Manifest['problem'];
  readonly labels: readonly string[];
  readonly thresholds?: readonly number[] | undefined;
}): AnswerForm {
  return problem === 'multi-label' ? { problem, thresholds } : { problem };
}

/** What the pipeline needs to know of the bundle. */
export function layoutOf(manifest: Manifest): ModelLayout {
  return {
    labels: manifest.labels,
    task: manifest.task,
    hiddenSize: manifest.geometry.hiddenSize,
    activation: manifest.activation,
    stages: manifest.stages.map(({ layers, exits }) => ({ layers: layers ?? undefined, exits })),
  };
}
