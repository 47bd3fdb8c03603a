import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { Manifest } from '../bundle/manifest.js';
import { answerFormOf, BUNDLE_FORMAT, DEFAULT_THRESHOLD } from '../bundle/manifest.js';
import { refuseToOverwrite, writeBundle } from '../bundle/write-bundle.js';
import type { CheckpointConfig, Geometry } from '../checkpoint/checkpoint-config.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { CheckpointError, checkConfig } from '../checkpoint/checkpoint-config.js';
import { vocabularyGap } from '../checkpoint/vocabulary-gap.js';
import { openModel } from '../import/open-model.js';
import type { CompileOptions } from './compile-options.js';
import { CompileError } from './compile-error.js';
import { choosePresets } from './exit-quality.js';
import { brokenExit, labelGolden } from './label-golden.js';
import { leavingShares } from './leaving-shares.js';
import { measureQuality } from './measure-quality.js';
import { readModelWeights } from './model-weights.js';
import { SampleTokenizer } from './sample-texts.js';
import { writeStageGraph } from './stage-graph.js';
import { planStages } from './stages.js';

/**
 * Compiles a checkpoint into a bundle directory, which appears whole or not at all.
 * @throws CompileError, CheckpointError, SafetensorsError, StageError, AgreementError, TokenizerFileError
 */
export async function compileBundle(options: CompileOptions): Promise<Manifest> {
  const out = resolve(options.out);
  await refuseToOverwrite(out, options.force);
  const checkpoint = await openModel(options.checkpoint);
  try {
    const config = withOverrides(checkpoint.config, options);
    checkHead(checkpoint, config);
    const kept = new Set(options.exits ?? config.exits.map((exit) => exit.layer));
    const stages = planStages(config, options.stageEnds ?? defaultStageEnds(config, kept), kept);
    const exits = stages.flatMap((stage) => [...stage.exits]);
    options.onStep?.('reading weights and folding exits');
    const weights = await readModelWeights(checkpoint, exits);
    const tokenizerJson = await checkpoint.tokenizer();
    const gap = vocabularyGap(tokenizerJson, config.geometry.vocabSize);
    if (gap !== undefined) throw new CompileError(gap);
    const { specialTokens: rule, maxLength } = config;
    const tokenizer = new SampleTokenizer(
      TextTokenizer.of(tokenizerJson, options.checkpoint, { rule, maxLength }),
      config,
    );
    const measured = await measureQuality(options, config, weights, stages, tokenizer);
    const models = stages.map((stage) =>
      writeStageGraph({
        config,
        weights,
        stage,
        precision: options.precision,
        quantisation: measured.quantisation,
      }),
    );
    options.onStep?.('labelling the golden texts');
    const golden = await labelGolden(options.precision, config, weights, stages, models, tokenizer);
    const broken = brokenExit(golden);
    if (broken !== undefined) {
      throw new CheckpointError(
        options.checkpoint,
        `the exit after layer ${broken} gives probabilities that are no numbers in ${options.precision}: the weights are broken, or too large.`,
      );
    }
    const files = new Map<string, Buffer>([
      ...models.map((bytes, index): [string, Buffer] => [`stage-${index + 1}.onnx`, bytes]),
      ['tokenizer.json', Buffer.from(JSON.stringify(tokenizerJson))],
      ['golden.json', Buffer.from(JSON.stringify(golden))],
    ]);
    const described = (file: string): { file: string; sha256: string } => ({
      file,
      sha256: createHash('sha256').update(files.get(file)!).digest('hex'),
    });
    const presets = choosePresets(exits, measured.opinions, answerFormOf(config));
    const manifest: Manifest = {
      format: BUNDLE_FORMAT,
      name: basename(out),
      labels: [...config.labels],
      problem: config.problem,
      thresholds: config.thresholds && [...config.thresholds],
      uncertaintyTop: config.uncertaintyTop,
      task: config.task,
      maxLength: config.maxLength,
      specialTokens: config.specialTokens,
      geometry: {
        vocabSize: config.geometry.vocabSize,
        hiddenSize: config.geometry.hiddenSize,
        ...ownEmbeddingSize(config.geometry),
        layers: config.geometry.layers,
        heads: config.geometry.heads,
        intermediateSize: config.geometry.intermediateSize,
        maxPositions: config.geometry.maxPositions,
      },
      exits: config.exits.filter(({ layer }) => exits.includes(layer)),
      stages: stages.map(({ layers, exits }, index) => ({
        ...described(`stage-${index + 1}.onnx`),
        layers: layers === undefined ? null : [...layers],
        exits: [...exits],
      })),
      precision: options.precision,
      activation: options.precision === 'fp16' ? 'float16' : 'float32',
      float32Matmuls: [...(measured.quantisation?.float32Matmuls ?? [])].sort(),
      tokenizer: described('tokenizer.json'),
      golden: described('golden.json'),
      presets,
      provenance: {
        checkpoint: checkpoint.sha256,
        calibration: measured.calibrationHash,
        tool: options.tool,
      },
      quality: measured.quality && {
        ...measured.quality,
        leaving: measured.opinions && leavingShares(measured.opinions, speedsOf(presets)),
      },
    };
    await writeBundle(out, files, manifest);
    return manifest;
  } finally {
    await checkpoint.close();
  }
}

/** Of presets, each of which is one speed. */
function speedsOf(presets: Manifest['presets']): number[] {
  return Object.values(presets).flatMap(({ thresholds }) => Object.values(thresholds).slice(0, 1));
}

/** What can be compiled has exits. */
function checkHead({ path, format }: Checkpoint, { exits }: CheckpointConfig): void {
  if (exits.length === 0) {
    throw new CheckpointError(
      path,
      `a bare backbone (${format}) without a classifier cannot label texts: fine-tune it first, or point at a checkpoint with its classification head.`,
    );
  }
}

/** Said only where the embeddings are projected, as few models' are. */
function ownEmbeddingSize({ embeddingSize, hiddenSize }: Geometry): { embeddingSize?: number } {
  return embeddingSize === hiddenSize ? {} : { embeddingSize };
}

/** Exit 0 alone first, then the first two layers, where most texts have left; the rest is for the few. */
function defaultStageEnds(config: CheckpointConfig, kept: ReadonlySet<number>): number[] {
  const ends = config.geometry.layers > 2 ? [2] : [];
  return kept.has(0) ? [0, ...ends] : ends;
}

function withOverrides(config: CheckpointConfig, options: CompileOptions): CheckpointConfig {
  const maxLength = options.maxLength ?? config.maxLength;
  if (maxLength > config.geometry.maxPositions) {
    throw new CompileError(
      `--max-length is ${maxLength}, but the model has ${config.geometry.maxPositions} positions.`,
    );
  }
  const changed = {
    ...config,
    maxLength,
    task: options.task ?? config.task,
    uncertaintyTop: uncertaintyTopOf(config, options.uncertaintyTop),
    thresholds: thresholdsOf(config, options.thresholds),
  };
  checkConfig(options.checkpoint, changed);
  return changed;
}

function uncertaintyTopOf(
  { problem, labels, uncertaintyTop }: CheckpointConfig,
  change: number | undefined,
): number | undefined {
  if (change === undefined) return uncertaintyTop;
  if (problem !== 'single-label') {
    throw new CompileError(`--uncertainty-top is of a single-label head; this one is ${problem}.`);
  }
  if (change > labels.length) {
    throw new CompileError(`--uncertainty-top is ${change}, but the model has ${labels.length} labels.`);
  }
  return change;
}

function thresholdsOf(
  { problem, labels, thresholds }: CheckpointConfig,
  changes: CompileOptions['thresholds'],
): readonly number[] | undefined {
  if (changes === undefined) return thresholds;
  if (problem !== 'multi-label') {
    throw new CompileError(`--thresholds are those of a multi-label head; this one is ${problem}.`);
  }
  if (typeof changes === 'number') return labels.map(() => changes);
  const unknown = [...changes.keys()].find((label) => !labels.includes(label));
  if (unknown !== undefined) {
    throw new CompileError(
      `--thresholds: there is no label '${unknown}'; the labels are ${labels.join(', ')}.`,
    );
  }
  return labels.map((label, index) => changes.get(label) ?? thresholds?.[index] ?? DEFAULT_THRESHOLD);
}
