import { z } from 'zod';

/** Shape of a BERT encoder. */
export interface Geometry {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly maxPositions: number;
  readonly segments: number;
  readonly layerNormEps: number;
}

/**
 * The classifier after a layer. `size` is the exit's own width, `heads` the heads of its attention.
 * Their formulas stand in fold-exit.ts.
 */
export type Exit =
  | { readonly layer: number; readonly kind: 'fastbert'; readonly size: number; readonly heads: number }
  | { readonly layer: number; readonly kind: 'pooler' };

export interface CheckpointConfig {
  readonly geometry: Geometry;
  readonly labels: readonly string[];
  readonly task: 'single' | 'pair';
  /** Tokens of a text, special ones included. */
  readonly maxLength: number;
  readonly specialTokens: 'cls-sep' | 'cls';
  /** Ascending by layer; the last one sits after the last layer. */
  readonly exits: readonly Exit[];
  /** Where the weights of the last exit are: `exits.L.*`, or a Hugging Face classification head. */
  readonly layout: 'sluice' | 'huggingface';
}

/** A checkpoint that cannot be read, and which part of it. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

const exitSchema = z.discriminatedUnion('kind', [
  z.object({
    layer: z.int().nonnegative(),
    kind: z.literal('fastbert'),
    size: z.int().positive(),
    heads: z.int().positive(),
  }),
  z.object({ layer: z.int().nonnegative(), kind: z.literal('pooler') }),
]);

const configSchema = z.object({
  model_type: z.literal('bert').default('bert'),
  architectures: z.array(z.string()).optional(),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive().max(255),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  hidden_act: z.literal('gelu').default('gelu'),
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().positive().default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.enum(['single_label_classification']).nullish(),
  sluice: z
    .object({
      labels: z
        .array(z.string())
        .min(2)
        .max(65_535)
        .refine((labels) => new Set(labels).size === labels.length, 'a label is listed twice'),
      task: z.enum(['single', 'pair']).default('single'),
      maxLength: z.int().min(2),
      specialTokens: z.enum(['cls-sep', 'cls']),
      exits: z.array(exitSchema).min(1),
    })
    .optional(),
});

/**
 * Reads `config.json` of Sluice's checkpoint layout or of a Hugging Face `BertForSequenceClassification`.
 *
 * @param path named in errors
 * @throws CheckpointError
 */
export function parseCheckpointConfig(path: string, json: unknown): CheckpointConfig {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success)
    throw new CheckpointError(path, `not a BERT config:\n${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  const geometry: Geometry = {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    maxPositions: config.max_position_embeddings,
    segments: config.type_vocab_size,
    layerNormEps: config.layer_norm_eps,
  };
  if (geometry.hiddenSize % geometry.heads !== 0) {
    throw new CheckpointError(
      path,
      `hidden_size ${geometry.hiddenSize} cannot be divided into ${geometry.heads} attention heads.`,
    );
  }
  const { sluice } = config;
  if (sluice === undefined) {
    return {
      geometry,
      labels: labelsOf(path, config.architectures, config.id2label),
      task: 'single',
      maxLength: geometry.maxPositions,
      specialTokens: 'cls-sep',
      exits: [{ layer: geometry.layers, kind: 'pooler' }],
      layout: 'huggingface',
    };
  }
  const exits = [...sluice.exits].sort((a, b) => a.layer - b.layer);
  checkExits(path, exits, geometry.layers);
  if (sluice.maxLength > geometry.maxPositions) {
    throw new CheckpointError(
      path,
      `maxLength is ${sluice.maxLength}, but the model has ${geometry.maxPositions} positions.`,
    );
  }
  return { ...sluice, geometry, exits, layout: 'sluice' };
}

/** Of a Hugging Face classifier; its config leaves id2label out where the labels are the library's two defaults. */
function labelsOf(
  path: string,
  architectures: readonly string[] | undefined,
  id2label: Record<string, string> | undefined,
): string[] {
  const classifier = architectures?.includes('BertForSequenceClassification');
  if (classifier === false) {
    throw new CheckpointError(
      path,
      `a BertForSequenceClassification, or a checkpoint with a "sluice" section, is expected; this is ${String(architectures)}. A bare backbone must be fine-tuned first.`,
    );
  }
  if (id2label === undefined && classifier) return ['LABEL_0', 'LABEL_1'];
  const named = Object.entries(id2label ?? {}).sort((a, b) => Number(a[0]) - Number(b[0]));
  const labels = named.map(([, label]) => label);
  if (labels.length < 2) {
    throw new CheckpointError(
      path,
      `id2label names ${labels.length} classes; a classifier of at least two is needed (a bare backbone or a regression head cannot label texts).`,
    );
  }
  if (named.some(([id], index) => id !== String(index)) || new Set(labels).size < labels.length) {
    throw new CheckpointError(
      path,
      `id2label must give each of 0 to ${labels.length - 1} a label of its own; got ${JSON.stringify(id2label)}.`,
    );
  }
  return labels;
}

function checkExits(path: string, exits: readonly Exit[], layers: number): void {
  exits.forEach((exit, index) => {
    if (exit.layer > layers || exit.layer === exits[index + 1]?.layer) {
      throw new CheckpointError(
        path,
        `exit ${exit.layer} is listed twice or lies beyond the last of ${layers} layers.`,
      );
    }
    if (exit.kind === 'fastbert' && exit.size % exit.heads !== 0) {
      throw new CheckpointError(
        path,
        `exit ${exit.layer}: size ${exit.size} cannot be divided into ${exit.heads} heads.`,
      );
    }
  });
  if (exits.at(-1)?.layer !== layers) {
    throw new CheckpointError(path, `the last layer, ${layers}, needs an exit: the teacher.`);
  }
}
