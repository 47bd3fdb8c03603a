import type { GraphTensor } from '#inference/graph-tensor.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { Range, Scale } from './quantise.js';
import { scaleOfRange } from './quantise.js';
import type { ModelWeights } from './stage-graph.js';
import { writeStageGraph } from './stage-graph.js';
import { StagedModel } from './staged-model.js';
import { planStages } from './stages.js';

/**
 * Runs the float32 model over the calibration texts and takes each activation site's range from its least to its
 * greatest value. Ranges are never clipped: cutting the outliers off cost 2 to 3 % of agreement where it was tried.
 * @returns the scale of each activation site
 */
export async function calibrate(
  config: CheckpointConfig,
  weights: ModelWeights,
  tokens: TokenColumns,
): Promise<Map<string, Scale>> {
  const stages = planStages(config, [], new Set(weights.exits.keys()));
  const bytes = stages.map((stage) =>
    writeStageGraph({ config, weights, stage, precision: 'fp32', observeRanges: true }),
  );
  const model = await StagedModel.open(bytes, stages, config.labels.length);
  const ranges = new Map<string, Range>();
  const widen = (outputs: Readonly<Record<string, GraphTensor>>): void => {
    for (const [name, { data }] of Object.entries(outputs)) {
      if (!name.startsWith('min:')) continue;
      const site = name.slice('min:'.length);
      const known = ranges.get(site) ?? { min: Infinity, max: -Infinity };
      ranges.set(site, {
        min: Math.min(known.min, Number(data[0])),
        max: Math.max(known.max, Number(outputs[`max:${site}`]?.data[0])),
      });
    }
  };
  try {
    await model.opinions(tokens, widen);
  } finally {
    await model.release();
  }
  return new Map([...ranges].map(([site, range]) => [site, scaleOfRange(range)]));
}
