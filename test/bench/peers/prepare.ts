import { UsageError } from '#run/usage-error.js';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { openModel } from '#model/import/open-model.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { prepareCorpus } from '../corpus.js';
import type { BundleKind } from '../models.js';
import { bundlesOfCheckpoint } from '../models.js';
import type { BenchSource } from '../source.js';
import type { BenchWork } from '../variants/variant.js';
import { onnxGraph } from './onnx-graph.js';
import type { PeersOptions } from './options.js';
import type { PeerTools } from './peer-variant.js';
import { pythonEnvironment, pythonVersion } from './python-environment.js';
import { recordedLabels } from './recorded-labels.js';

/** `sluice label` takes so many unless told otherwise. */
const BATCH_TOKENS = 1024;

const bundleKinds: readonly BundleKind[] = ['int8-last', 'int8-from-0'];

/** Opens the checkpoint that all of them run. @throws UsageError for one that the peers cannot run */
export async function openCheckpoint({ kind, directory }: BenchSource): Promise<Checkpoint> {
  if (kind === 'bundle') {
    throw new UsageError('The peers run a checkpoint, and there is none: give --checkpoint and --corpus.');
  }
  const checkpoint = await openModel(directory);
  await checkpoint.close();
  const { task, specialTokens, exits } = checkpoint.config;
  if (task !== 'single' || specialTokens !== 'cls-sep' || exits.at(-1)?.kind !== 'fastbert') {
    throw new UsageError(
      'The peers run single texts between [CLS] and [SEP] and a last exit of kind fastbert; ' +
        `this checkpoint has task ${task}, special tokens ${specialTokens}, a last exit of kind ${exits.at(-1)?.kind}.`,
    );
  }
  return checkpoint;
}

/** Python, its packages and the graph, and what the checkpoint records. */
export async function prepareTools(
  options: PeersOptions,
  { path: directory, sha256 }: Checkpoint,
  say: (line: string) => void,
): Promise<PeerTools> {
  const { cache, batchSize } = options;
  if (options.python !== undefined) await pythonVersion(options.python);
  const python = options.python ?? (await pythonEnvironment(cache, say));
  return {
    python,
    checkpoint: directory,
    graph: await onnxGraph(python, directory, sha256, cache, say),
    batchSize,
    recorded: await recordedLabels(directory),
    said: new Map(),
  };
}

/** The rows, and Sluice's bundles of the checkpoint. */
export async function prepareWork(
  options: PeersOptions,
  { path: directory, config }: Checkpoint,
  files: readonly string[],
  folder: string,
  say: (line: string) => void,
): Promise<BenchWork> {
  const corpus = await prepareCorpus({ ...options, files }, folder);
  const { threads, speed, cache } = options;
  const bundles = await bundlesOfCheckpoint(
    directory,
    corpus.calibration,
    new Set(bundleKinds),
    cache,
    (step) => say(`… ${step}`),
  );
  const { specialTokens: rule, maxLength } = config;
  const tokenizer = await TextTokenizer.load(directory, { rule, maxLength });
  const tokens = tokenizer.tokenize(corpus.texts);
  return {
    bundles,
    corpus,
    tokens,
    batches: [],
    workers: threads,
    batchTokens: BATCH_TOKENS,
    speed,
    folder,
  };
}
