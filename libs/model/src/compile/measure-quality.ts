import { createHash } from 'node:crypto';
import type { Manifest } from '../bundle/manifest.js';
import { answerFormOf } from '../bundle/manifest.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { calibrate } from './calibrate.js';
import { CompileError } from './compile-error.js';
import type { CompileOptions } from './compile-options.js';
import type { ExitOpinions } from './exit-opinions.js';
import { exitQuality } from './exit-quality.js';
import { floatOpinions } from './float-opinions.js';
import { chooseInt8Matmuls } from './int8-fallback.js';
import type { SampleTokenizer } from './sample-texts.js';
import type { Quantisation } from './linear-writer.js';
import type { ModelWeights } from './stage-graph.js';
import type { StagePlan } from './stages.js';

const CALIBRATION_TEXTS = 512;

export interface Measured {
  readonly quantisation: Quantisation | undefined;
  readonly opinions: ExitOpinions | undefined;
  readonly quality: Manifest['quality'];
  readonly calibrationHash: string | null;
}

/**
 * Chooses the quantisation and measures what it costs.
 * @throws CompileError without calibration texts for int8; AgreementError
 */
export async function measureQuality(
  options: CompileOptions,
  config: CheckpointConfig,
  weights: ModelWeights,
  stages: readonly StagePlan[],
  tokenizer: SampleTokenizer,
): Promise<Measured> {
  const { precision, calibration, onStep } = options;
  const sample = options.measure ?? calibration;
  if (precision === 'int8' && (calibration === undefined || calibration.texts.length === 0)) {
    throw new CompileError(
      'int8 needs typical texts to measure activation ranges on: give --calibrate FILE (a few hundred rows; labels are not needed).',
    );
  }
  const { problem } = config;
  if (precision === 'int8' && problem === 'regression') {
    throw new CompileError(
      'int8 is measured by how often labels stay the same, which a regression head has none of: use --precision fp32.',
    );
  }
  // float16 runs on a GPU only, so here its quality is that of the float32 weights and stays unmeasured, as a regression's.
  if (sample === undefined || sample.texts.length === 0 || precision === 'fp16' || problem === 'regression') {
    return { quantisation: undefined, opinions: undefined, quality: null, calibrationHash: null };
  }
  const tokens = tokenizer.tokenize(sample);
  onStep?.(`float32 on ${sample.texts.length} texts`);
  const reference = await floatOpinions(config, weights, stages, tokens);
  let opinions = reference;
  let quantisation: Quantisation | undefined;
  let calibrationHash: string | null = null;
  if (precision === 'int8' && calibration !== undefined) {
    const texts = calibration.texts.slice(0, CALIBRATION_TEXTS);
    const pairs = calibration.pairs?.slice(0, CALIBRATION_TEXTS);
    onStep?.(`activation ranges on ${texts.length} texts`);
    const calibrated = await calibrate(config, weights, tokenizer.tokenize({ texts, pairs }));
    onStep?.(`int8 on ${sample.texts.length} texts`);
    const { minAgreement } = options;
    const chosen = await chooseInt8Matmuls({
      config,
      weights,
      stages,
      calibrated,
      tokens,
      reference,
      minAgreement,
      onStep,
    });
    opinions = chosen.opinions;
    quantisation = { ...calibrated, float32Matmuls: chosen.float32Matmuls };
    calibrationHash = createHash('sha256')
      .update(JSON.stringify([texts, pairs ?? null]))
      .digest('hex');
  }
  const golds =
    sample.labels === undefined || problem !== 'single-label'
      ? undefined
      : Int32Array.from(sample.labels, (label) => (label === undefined ? -1 : config.labels.indexOf(label)));
  return {
    quantisation,
    opinions,
    quality: {
      texts: sample.texts.length,
      exits: exitQuality(opinions, reference, golds, answerFormOf(config)),
    },
    calibrationHash,
  };
}
