import { join } from 'node:path';
import { z } from 'zod';
import { loadTokenizerJson } from '#tokenizer/load-tokenizer.js';
import type { TensorOrigin } from '../checkpoint/checkpoint.js';
import { Checkpoint } from '../checkpoint/checkpoint.js';
import { checkConfig, CheckpointError } from '../checkpoint/checkpoint-config.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { openWeightsFile } from '../checkpoint/open-weights.js';
import type { TensorSource } from '../checkpoint/tensor-source.js';
import { findJson } from './find-json.js';
import type { ModelFiles } from './model-files.js';
import type { NamedLabels } from './read-labels.js';
import { readLabels } from './read-labels.js';

const kernelSchema = z.object({
  emb_size: z.int().positive(),
  feedforward_size: z.int().positive(),
  hidden_size: z.int().positive(),
  heads_num: z.int().positive(),
  layers_num: z.int().positive().max(255),
});

/** Outside of the root, beside the unbiased deviation. */
const LAYER_NORM_EPS = 1e-6;
const EXIT_HEADS = 2;
/** What the implementation cuts texts to unless told. */
const DEFAULT_MAX_LENGTH = 128;
/** Row 0 of the segment table is the padding's, which Sluice has none of. */
const PADDING_SEGMENTS = 1;

/**
 * Opens a directory of autoliuweijie/FastBERT, of UER's format: its kernel configuration, `vocab.txt` and one `.bin`.
 * `undefined` where it is none.
 *
 * @throws CheckpointError, TorchFileError
 */
export async function openUer(files: ModelFiles): Promise<Checkpoint | undefined> {
  const kernel = await findJson(files, kernelSchema);
  if (kernel === undefined) return undefined;
  const tensors = await openWeightsFile(weightsOf(files));
  try {
    const exits = exitsOf(tensors, kernel.config.layers_num);
    const classes = exits.at(-1)?.classes ?? 0;
    const named = await readLabels(files, classes);
    const config = configOf(kernel.config, tensors, exits, named);
    checkConfig(kernel.path, config);
    return await Checkpoint.of({
      path: files.path,
      format: 'autoliuweijie/FastBERT (UER)',
      config,
      configText: `${kernel.text}\n${named.text}`,
      tensors,
      originOf,
      readTokenizer: () => loadTokenizerJson(files.directory),
      assumptions: [
        ...named.assumptions,
        ...(named.maxLength === undefined
          ? [`nothing says how long texts may be: ${config.maxLength} tokens, as there`]
          : []),
      ],
    });
  } catch (error) {
    await tensors.close();
    throw error;
  }
}

interface FoundExit {
  readonly layer: number;
  readonly size: number;
  readonly classes: number;
}

/** @throws CheckpointError where there is no classifier: a bare backbone of UER's has no FastBERT to import */
function exitsOf(tensors: TensorSource, layers: number): FoundExit[] {
  const exits = Array.from({ length: layers }, (_, index) => index).flatMap((index) => {
    const [size] = tensors.shape(`classifiers.${index}.output_layer_0.bias`) ?? [];
    const [classes] = tensors.shape(`classifiers.${index}.output_layer_2.bias`) ?? [];
    return size === undefined || classes === undefined ? [] : [{ layer: index + 1, size, classes }];
  });
  if (exits.at(-1)?.layer === layers) return exits;
  throw new CheckpointError(
    tensors.path,
    `tensor 'classifiers.${layers - 1}.output_layer_2.bias' is missing: the last layer, ${layers}, needs an exit.`,
  );
}

function configOf(
  kernel: z.infer<typeof kernelSchema>,
  tensors: TensorSource,
  exits: readonly FoundExit[],
  named: NamedLabels,
): CheckpointConfig {
  const rows = (table: string): number => {
    const name = `kernel.embedding.${table}_embedding.weight`;
    const [count] = tensors.shape(name) ?? [];
    if (count !== undefined) return count;
    throw new CheckpointError(tensors.path, `tensor '${name}' is missing.`);
  };
  const maxPositions = rows('position');
  return {
    geometry: {
      vocabSize: rows('word'),
      hiddenSize: kernel.hidden_size,
      embeddingSize: kernel.emb_size,
      layers: kernel.layers_num,
      heads: kernel.heads_num,
      intermediateSize: kernel.feedforward_size,
      activation: 'gelu',
      maxPositions,
      segments: Math.max(0, rows('segment') - PADDING_SEGMENTS),
      layerNormForm: 'unbiased',
      layerNormEps: LAYER_NORM_EPS,
    },
    labels: named.labels,
    problem: 'single-label',
    task: 'single',
    maxLength: named.maxLength ?? Math.min(DEFAULT_MAX_LENGTH, maxPositions),
    specialTokens: 'cls',
    exits: exits.map(({ layer, size }) => ({ layer, kind: 'fastbert', size, heads: EXIT_HEADS })),
  };
}

function weightsOf({ directory, names, weights }: ModelFiles): string {
  if (weights !== undefined) return join(directory, weights);
  const found = names.filter((name) => name.endsWith('.bin'));
  if (found.length === 1) return join(directory, found[0]!);
  throw new CheckpointError(
    directory,
    `one .bin is expected beside the kernel's configuration; there are ${found.length}${found.length > 1 ? `: point at one of ${found.join(', ')}` : ''}.`,
  );
}

const EXIT_PARTS: Readonly<Record<string, string>> = {
  narrow: 'output_layer_0',
  query: 'self_atten.linear_layers.0',
  key: 'self_atten.linear_layers.1',
  value: 'self_atten.linear_layers.2',
  output: 'self_atten.final_linear',
  hidden: 'output_layer_1',
  logits: 'output_layer_2',
};

/** Of a layer, from the checkpoint layout's names. */
const LAYER_PARTS: Readonly<Record<string, string>> = {
  'attention.self.query': 'self_attn.linear_layers.0',
  'attention.self.key': 'self_attn.linear_layers.1',
  'attention.self.value': 'self_attn.linear_layers.2',
  'attention.output.dense': 'self_attn.final_linear',
  'attention.output.LayerNorm': 'layer_norm_1',
  'intermediate.dense': 'feed_forward.linear_1',
  'output.dense': 'feed_forward.linear_2',
  'output.LayerNorm': 'layer_norm_2',
};

const EMBEDDING_PARTS: Readonly<Record<string, string>> = {
  word_embeddings: 'word_embedding',
  position_embeddings: 'position_embedding',
  token_type_embeddings: 'segment_embedding',
  LayerNorm: 'layer_norm',
};

function originOf(name: string): TensorOrigin {
  const kind = name.endsWith('.weight') ? 'weight' : 'bias';
  const path = name.slice(0, -kind.length - 1);
  const [, exit, exitPart = ''] = /^exits\.(\d+)\.(\w+)$/.exec(path) ?? [];
  if (exit !== undefined)
    return { names: [`classifiers.${Number(exit) - 1}.${EXIT_PARTS[exitPart]}.${kind}`] };
  const [, layer, part = ''] = /^bert\.encoder\.layer\.(\d+)\.(.*)$/.exec(path) ?? [];
  const table = path.replace(/^bert\.embeddings\./, '');
  const found =
    layer === undefined
      ? `kernel.embedding.${EMBEDDING_PARTS[table]}`
      : `kernel.encoder.transformer.${layer}.${LAYER_PARTS[part]}`;
  const ends = /layer_norm(_\d)?$/.test(found) ? [kind === 'weight' ? 'gamma' : 'beta', kind] : [kind];
  return {
    names: ends.map((end) => `${found}.${end}`),
    firstRow: table === 'token_type_embeddings' ? PADDING_SEGMENTS : undefined,
  };
}
