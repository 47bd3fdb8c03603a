import { basename, join } from 'node:path';
import { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { readVocabFile } from '#tokenizer/load-tokenizer.js';
import type { TensorOrigin } from '../checkpoint/checkpoint.js';
import { Checkpoint } from '../checkpoint/checkpoint.js';
import { activationSchema, checkConfig, CheckpointError } from '../checkpoint/checkpoint-config.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { openWeightsFile } from '../checkpoint/open-weights.js';
import { findJson } from './find-json.js';
import type { ModelFiles } from './model-files.js';
import { readJson } from './read-json.js';
import { readLabels } from './read-labels.js';

const taskSchema = z.object({
  vocab_file: z.string(),
  bert_config_path: z.string(),
  num_class: z.int().min(2),
  cls_hidden_size: z.int().positive(),
  cls_num_attention_heads: z.int().positive(),
  max_seq_len: z.int().min(2),
});

const bertSchema = z.object({
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive().max(255),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  hidden_act: activationSchema,
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().positive(),
});

/** Whatever the configuration says, which is ignored there: ERNIE's says 1e-5. */
const LAYER_NORM_EPS = 1e-12;

/**
 * Opens a directory of BitVoyage/FastBERT: its task configuration, the BERT configuration and vocabulary that it names, and
 * `Epoch_N.bin` with the highest N. `undefined` where it is none.
 *
 * @throws CheckpointError, TorchFileError
 */
export async function openBitvoyage(files: ModelFiles): Promise<Checkpoint | undefined> {
  const task = await findJson(files, taskSchema);
  if (task === undefined) return undefined;
  const bert = await readJson(beside(files, task.path, 'bert_config_path', task.config.bert_config_path));
  const parsed = bertSchema.safeParse(bert.json);
  if (!parsed.success) {
    throw new CheckpointError(bert.path, `not a BERT config: ${schemaProblem(parsed.error)}`);
  }
  const vocab = beside(files, task.path, 'vocab_file', task.config.vocab_file);
  const { labels, text, assumptions } = await readLabels(files, task.config.num_class);
  const config = configOf(task.config, parsed.data, labels);
  checkConfig(task.path, config);
  return Checkpoint.of({
    path: files.path,
    format: 'BitVoyage/FastBERT',
    config,
    configText: [task.text, bert.text, text].join('\n'),
    tensors: await openWeightsFile(weightsOf(files)),
    originOf: (name) => originOf(name, config.geometry.layers),
    // A literal [SEP] in a text is split there like any other text.
    readTokenizer: () => readVocabFile(vocab, { splitSpecialTokens: true }),
    assumptions,
  });
}

function configOf(
  task: z.infer<typeof taskSchema>,
  bert: z.infer<typeof bertSchema>,
  labels: readonly string[],
): CheckpointConfig {
  return {
    geometry: {
      vocabSize: bert.vocab_size,
      hiddenSize: bert.hidden_size,
      embeddingSize: bert.hidden_size,
      layers: bert.num_hidden_layers,
      heads: bert.num_attention_heads,
      intermediateSize: bert.intermediate_size,
      activation: bert.hidden_act,
      maxPositions: bert.max_position_embeddings,
      segments: bert.type_vocab_size,
      layerNormForm: 'standard',
      layerNormEps: LAYER_NORM_EPS,
    },
    labels,
    problem: 'single-label',
    task: 'single',
    maxLength: task.max_seq_len,
    specialTokens: 'cls',
    exits: Array.from({ length: bert.num_hidden_layers }, (_, index) => ({
      layer: index + 1,
      kind: 'bitvoyage',
      size: task.cls_hidden_size,
      heads: task.cls_num_attention_heads,
    })),
  };
}

/** The file of a name in the configuration: it names paths of the machine of training; the files lie beside it. */
function beside({ directory, names }: ModelFiles, config: string, key: string, path: string): string {
  const name = basename(path.replaceAll('\\', '/'));
  if (names.includes(name)) return join(directory, name);
  throw new CheckpointError(
    config,
    `${key} is ${JSON.stringify(path)}; ${JSON.stringify(name)} is expected beside it, and is missing.`,
  );
}

function weightsOf({ directory, names, weights }: ModelFiles): string {
  if (weights !== undefined) return join(directory, weights);
  const epochs = names.flatMap((name) => {
    const epoch = /^Epoch_(\d+)\.bin$/.exec(name)?.[1];
    return epoch === undefined ? [] : [Number(epoch)];
  });
  if (epochs.length > 0) return join(directory, `Epoch_${Math.max(...epochs)}.bin`);
  throw new CheckpointError(directory, 'weights are expected in Epoch_N.bin; there are none.');
}

const EXIT_PARTS: Readonly<Record<string, string>> = {
  narrow: 'dense_narrow',
  query: 'selfAttention.query',
  key: 'selfAttention.key',
  value: 'selfAttention.value',
  hidden: 'dense_prelogits',
  logits: 'dense_logits',
};

function originOf(name: string, layers: number): TensorOrigin {
  return { names: namesOf(name, layers).flatMap((each) => [each, `module.${each}`]) };
}

function namesOf(name: string, layers: number): string[] {
  const [, layer, part = '', kind = ''] = /^exits\.(\d+)\.(\w+)\.(\w+)$/.exec(name) ?? [];
  if (layer !== undefined) {
    const tail = `${EXIT_PARTS[part]}.${kind}`;
    const index = Number(layer) - 1;
    // The last exit's tensors are in the file twice.
    return index === layers - 1
      ? [`graph.layer_classifiers.final_classifier.${tail}`, `graph.layer_classifier.${tail}`]
      : [`graph.layer_classifiers.branch_classifier_${index}.${tail}`];
  }
  const bare = name.replace(/^bert\./, '').replace(/^encoder\.layer\./, 'graph.layers.');
  return [
    bare.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'),
    bare,
  ];
}
