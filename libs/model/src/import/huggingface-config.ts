import { z } from 'zod';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { activationSchema, CheckpointError, problemSchema } from '../checkpoint/checkpoint-config.js';

const configSchema = z.object({
  model_type: z.literal('bert').default('bert'),
  architectures: z.array(z.string()).optional(),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive().max(255),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  hidden_act: activationSchema,
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().nonnegative().default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: problemSchema.nullish(),
});

/**
 * Reads the `config.json` of Hugging Face's transformers.
 *
 * @param path named in errors
 * @throws CheckpointError
 */
export function parseHuggingFaceConfig(path: string, json: unknown): CheckpointConfig {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    throw new CheckpointError(path, `not a BERT config:\n${z.prettifyError(parsed.error)}`);
  }
  const config = parsed.data;
  return {
    geometry: {
      vocabSize: config.vocab_size,
      hiddenSize: config.hidden_size,
      embeddingSize: config.hidden_size,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      intermediateSize: config.intermediate_size,
      activation: config.hidden_act,
      maxPositions: config.max_position_embeddings,
      segments: config.type_vocab_size,
      layerNormForm: 'standard',
      layerNormEps: config.layer_norm_eps,
    },
    labels: labelsOf(path, config.architectures, config.id2label),
    problem: config.problem_type ?? 'single-label',
    task: 'single',
    maxLength: config.max_position_embeddings,
    specialTokens: 'cls-sep',
    exits: [{ layer: config.num_hidden_layers, kind: 'pooler', activation: 'tanh' }],
  };
}

/** Of a classifier; its config leaves id2label out where the labels are the library's two defaults. */
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
