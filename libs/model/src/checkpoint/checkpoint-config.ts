import { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { shownText } from '#pipeline/shown-text.js';
import type { SpecialTokenRule } from '#tokenizer/special-tokens.js';
import { specialTokenRules } from '#tokenizer/special-tokens.js';
import type { Exit } from './exit.js';
import { exitSchema } from './exit.js';

/** Between the two linear maps of a layer's feed-forward part. `gelu` is the exact one, `gelu_new` its tanh form. */
export type Activation = 'gelu' | 'gelu_new' | 'relu' | 'silu';

/**
 * `standard`: (x − mean) ÷ √(variance + eps), the variance over n. `unbiased`: (x − mean) ÷ (deviation + eps), the
 * deviation over n − 1 (UER).
 */
export type LayerNormForm = 'standard' | 'unbiased';

/** Shape of a BERT encoder. */
export interface Geometry {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Width of the embeddings; where it is not the hidden size, a linear map follows them (ELECTRA). */
  readonly embeddingSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly activation: Activation;
  readonly maxPositions: number;
  /** Rows of the segment table; 0 where the model has none (DistilBERT). */
  readonly segments: number;
  readonly layerNormForm: LayerNormForm;
  readonly layerNormEps: number;
}

/**
 * What the exits answer: one of the labels (softmax), any number of them (sigmoid), or numbers as they are, one for each
 * label.
 */
export type Problem = 'single-label' | 'multi-label' | 'regression';

export interface CheckpointConfig {
  readonly geometry: Geometry;
  /** Empty for a bare backbone. */
  readonly labels: readonly string[];
  readonly problem: Problem;
  /** Multi-label only: the probability from which on a text has each label, `[labels]`; 0.5 where left out. */
  readonly thresholds?: readonly number[] | undefined;
  /** Single-label only: the uncertainty is that of so many of the most probable labels; of all where left out. */
  readonly uncertaintyTop?: number | undefined;
  readonly task: 'single' | 'pair';
  /** Tokens of a text, special ones included. */
  readonly maxLength: number;
  readonly specialTokens: SpecialTokenRule;
  /** Ascending by layer; the last one sits after the last layer. None: a bare backbone, to be trained. */
  readonly exits: readonly Exit[];
}

/** A checkpoint that cannot be read, and which part of it. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${shownText(problem)}`);
  }
}

/** By the names that Hugging Face's `hidden_act` has for them. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu_fast: 'gelu_new',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

export const activationSchema = z
  .enum(Object.keys(activations))
  .default('gelu')
  .transform((name) => activations[name]!);

/** By the names that Hugging Face's `problem_type` has for them. */
const problems = {
  single_label_classification: 'single-label',
  multi_label_classification: 'multi-label',
  regression: 'regression',
} as const;

const problemTypes = ['single_label_classification', 'multi_label_classification', 'regression'] as const;
export const problemSchema = z.enum(problemTypes).transform((name): Problem => problems[name]);

const configSchema = z.object({
  model_type: z.literal('bert').default('bert'),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  embedding_size: z.int().positive().optional(),
  num_hidden_layers: z.int().positive().max(255),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  hidden_act: activationSchema,
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().nonnegative().default(2),
  layer_norm_form: z.enum(['standard', 'unbiased']).default('standard'),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  problem_type: problemSchema.nullish(),
  sluice: z.object({
    labels: z
      .array(z.string())
      .max(65_535)
      .refine((labels) => new Set(labels).size === labels.length, 'a label is listed twice'),
    thresholds: z.array(z.number().min(0).max(1)).optional(),
    uncertaintyTop: z.int().min(2).optional(),
    task: z.enum(['single', 'pair']).default('single'),
    maxLength: z.int().min(2),
    specialTokens: z.enum(specialTokenRules),
    exits: z.array(exitSchema),
  }),
});

/**
 * Reads `config.json` of Sluice's checkpoint layout.
 *
 * @param path named in errors
 * @throws CheckpointError
 */
export function parseCheckpointConfig(path: string, json: unknown): CheckpointConfig {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    throw new CheckpointError(path, `not the config of a checkpoint: ${schemaProblem(parsed.error)}`);
  }
  const config = parsed.data;
  const { sluice } = config;
  const checked: CheckpointConfig = {
    geometry: {
      vocabSize: config.vocab_size,
      hiddenSize: config.hidden_size,
      embeddingSize: config.embedding_size ?? config.hidden_size,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      intermediateSize: config.intermediate_size,
      activation: config.hidden_act,
      maxPositions: config.max_position_embeddings,
      segments: config.type_vocab_size,
      layerNormForm: config.layer_norm_form,
      layerNormEps: config.layer_norm_eps,
    },
    ...sluice,
    problem: config.problem_type ?? 'single-label',
    exits: [...sluice.exits].sort((a, b) => a.layer - b.layer),
  };
  checkConfig(path, checked);
  return checked;
}

/** `config.json` of Sluice's checkpoint layout: what `parseCheckpointConfig` reads. */
export function checkpointConfigJson(config: CheckpointConfig): Record<string, unknown> {
  const { geometry, problem, labels, thresholds, uncertaintyTop, task, maxLength, specialTokens, exits } =
    config;
  return {
    model_type: 'bert',
    vocab_size: geometry.vocabSize,
    hidden_size: geometry.hiddenSize,
    ...(geometry.embeddingSize !== geometry.hiddenSize && { embedding_size: geometry.embeddingSize }),
    num_hidden_layers: geometry.layers,
    num_attention_heads: geometry.heads,
    intermediate_size: geometry.intermediateSize,
    hidden_act: geometry.activation,
    max_position_embeddings: geometry.maxPositions,
    type_vocab_size: geometry.segments,
    ...(geometry.layerNormForm !== 'standard' && { layer_norm_form: geometry.layerNormForm }),
    layer_norm_eps: geometry.layerNormEps,
    problem_type: problemTypes.find((name) => problems[name] === problem),
    sluice: { labels, thresholds, uncertaintyTop, task, maxLength, specialTokens, exits },
  };
}

/**
 * What any config must hold, whatever file it came from.
 * @param path named in errors
 * @throws CheckpointError
 */
export function checkConfig(path: string, config: CheckpointConfig): void {
  const { geometry, labels, problem, thresholds, uncertaintyTop, maxLength, exits } = config;
  const refuse = (problem: string): never => {
    throw new CheckpointError(path, problem);
  };
  if (geometry.hiddenSize % geometry.heads !== 0) {
    refuse(`hidden_size ${geometry.hiddenSize} cannot be divided into ${geometry.heads} attention heads.`);
  }
  if (maxLength > geometry.maxPositions) {
    refuse(`maxLength is ${maxLength}, but the model has ${geometry.maxPositions} positions.`);
  }
  if (exits.length === 0) return;
  const least = problem === 'single-label' ? 2 : 1;
  if (labels.length < least) {
    refuse(`labels: a ${problem} model needs at least ${least}; got ${labels.length}.`);
  }
  if (thresholds !== undefined && (problem !== 'multi-label' || thresholds.length !== labels.length)) {
    refuse(
      `thresholds are those of a multi-label model, one for each of its ${labels.length} labels; got ${thresholds.length} for a ${problem} model.`,
    );
  }
  if (uncertaintyTop !== undefined && (problem !== 'single-label' || uncertaintyTop > labels.length)) {
    refuse(
      `uncertaintyTop is a number of labels of a single-label model, at most its ${labels.length}; got ${uncertaintyTop} for a ${problem} model.`,
    );
  }
  if (problem === 'regression' && exits.length > 1) {
    refuse('a regression has one exit, the last: it has no uncertainty by which a text could leave before.');
  }
  checkExits(refuse, exits, geometry.layers);
}

function checkExits(refuse: (problem: string) => never, exits: readonly Exit[], layers: number): void {
  exits.forEach((exit, index) => {
    if (exit.layer > layers || exit.layer === exits[index + 1]?.layer) {
      refuse(`exit ${exit.layer} is listed twice or lies beyond the last of ${layers} layers.`);
    }
    if (exit.kind !== 'pooler' && exit.size % exit.heads !== 0) {
      refuse(`exit ${exit.layer}: size ${exit.size} cannot be divided into ${exit.heads} heads.`);
    }
  });
  if (exits.at(-1)?.layer !== layers) refuse(`the last layer, ${layers}, needs an exit: the teacher.`);
}
