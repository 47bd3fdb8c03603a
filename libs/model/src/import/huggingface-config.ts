import { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import type { CheckpointConfig, Problem } from '../checkpoint/checkpoint-config.js';
import { activationSchema, CheckpointError, problemSchema } from '../checkpoint/checkpoint-config.js';
import type { Family } from './huggingface-families.js';
import { families } from './huggingface-families.js';

const configSchema = z.object({
  architectures: z.array(z.string()).nullish(),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  embedding_size: z.int().positive().optional(),
  num_hidden_layers: z.int().positive().max(255),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  hidden_act: activationSchema,
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().nonnegative().default(2),
  use_task_id: z.boolean().default(false),
  pad_token_id: z.int().nonnegative().nullish(),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  num_labels: z.int().positive().optional(),
  id2label: z.record(z.string(), z.string()).nullish(),
  problem_type: problemSchema.nullish(),
});
type Config = z.infer<typeof configSchema>;

const modelTypeSchema = z.object({ model_type: z.string().optional() });
const tokenizerSchema = z.object({ model_max_length: z.number().positive().optional() });

/** RoBERTa's. */
const DEFAULT_PADDING = 1;

/** What a configuration of Hugging Face's transformers says of a model. */
export interface HuggingFaceModel {
  readonly family: Family;
  readonly config: CheckpointConfig;
  /** Rows of the position table before the first one that texts use. */
  readonly firstPosition: number;
  /** Rows of the segment table, of which the model may use only the first. */
  readonly segmentRows: number;
  /** The first row of a table of tasks is added to every token (ERNIE). */
  readonly hasTasks: boolean;
}

/** What a configuration leaves to the other files of the directory. */
export interface HuggingFaceContext {
  /** Of a configuration without `model_type`. */
  readonly familyOfTensors: () => Family;
  /** Whether the tensors have a classifier; for a configuration that names no architecture. */
  readonly hasHead: (family: Family) => boolean;
  /** `tokenizer_config.json`; `undefined` where there is none. */
  readonly tokenizerConfig: unknown;
  readonly specialTokens: CheckpointConfig['specialTokens'];
}

/**
 * Reads the `config.json` of Hugging Face's transformers: a classifier, whose head becomes the last exit, or else a bare
 * backbone.
 *
 * @param path named in errors
 * @throws CheckpointError
 */
export function parseHuggingFaceConfig(
  path: string,
  json: unknown,
  context: HuggingFaceContext,
): HuggingFaceModel {
  const family = familyOf(path, json, context);
  const parsed = configSchema.safeParse(withBertKeys(json, family));
  if (!parsed.success) {
    throw new CheckpointError(path, `not a config of ${family.title}: ${schemaProblem(parsed.error)}`);
  }
  const config = parsed.data;
  const firstPosition = family.positionsBehindPadding ? (config.pad_token_id ?? DEFAULT_PADDING) + 1 : 0;
  const maxPositions = config.max_position_embeddings - firstPosition;
  const segmentRows = family.segments === 'none' ? 0 : config.type_vocab_size;
  const isClassifier =
    config.architectures?.some((name) => name.endsWith('ForSequenceClassification')) ??
    context.hasHead(family);
  const labels = isClassifier ? labelsOf(path, config) : [];
  return {
    family,
    config: {
      geometry: {
        vocabSize: config.vocab_size,
        hiddenSize: config.hidden_size,
        embeddingSize: config.embedding_size ?? config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        intermediateSize: config.intermediate_size,
        activation: config.hidden_act,
        maxPositions,
        segments: family.segments === 'first' ? Math.min(segmentRows, 1) : segmentRows,
        layerNormForm: 'standard',
        layerNormEps: config.layer_norm_eps,
      },
      labels,
      problem: problemOf(config, labels),
      task: 'single',
      maxLength: maxLengthOf(context.tokenizerConfig, maxPositions),
      specialTokens: context.specialTokens,
      exits: isClassifier
        ? [{ layer: config.num_hidden_layers, kind: 'pooler', activation: family.head.activation }]
        : [],
    },
    firstPosition,
    segmentRows,
    hasTasks: config.use_task_id,
  };
}

function familyOf(path: string, json: unknown, { familyOfTensors }: HuggingFaceContext): Family {
  const parsed = modelTypeSchema.safeParse(json);
  if (!parsed.success) {
    throw new CheckpointError(path, `not a config of a model: ${schemaProblem(parsed.error)}`);
  }
  const { model_type: modelType } = parsed.data;
  if (modelType === undefined) return familyOfTensors();
  const family = families.find((each) => each.modelType === modelType);
  if (family !== undefined) return family;
  throw new CheckpointError(
    path,
    `model_type is ${JSON.stringify(modelType)}; those that can be read are ${families.map((each) => each.modelType).join(', ')}.`,
  );
}

function withBertKeys(json: unknown, { keys }: Family): unknown {
  if (keys === undefined) return json;
  const named: Record<string, unknown> = { ...Object(json) };
  for (const [bertKey, ownKey] of Object.entries(keys)) named[bertKey] = named[ownKey];
  return named;
}

/** One number to tell is a regression there, unless it is said otherwise. */
function problemOf(config: Config, labels: readonly string[]): Problem {
  return config.problem_type ?? (labels.length === 1 ? 'regression' : 'single-label');
}

/** A tokenizer without a limit says 10³⁰ there. */
function maxLengthOf(tokenizerConfig: unknown, maxPositions: number): number {
  const parsed = tokenizerSchema.safeParse(tokenizerConfig);
  const most = parsed.success ? (parsed.data.model_max_length ?? Infinity) : Infinity;
  return Math.min(Math.trunc(most), maxPositions);
}

/** Where the labels are LABEL_0, LABEL_1, the configuration leaves them out. */
function labelsOf(path: string, { id2label, num_labels: count = 2 }: Config): string[] {
  if (id2label === undefined || id2label === null) {
    return Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  }
  const named = Object.entries(id2label).sort((a, b) => Number(a[0]) - Number(b[0]));
  const labels = named.map(([, label]) => label);
  if (named.some(([id], index) => id !== String(index)) || new Set(labels).size < labels.length) {
    throw new CheckpointError(
      path,
      `id2label must give each of 0 to ${labels.length - 1} a label of its own; got ${JSON.stringify(id2label)}.`,
    );
  }
  return labels;
}
