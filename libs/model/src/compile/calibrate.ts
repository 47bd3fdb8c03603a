import type { GraphTensor } from '#inference/graph-tensor.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { Quantisation } from './linear-writer.js';
import type { ChannelRanges } from './outlier-channels.js';
import { outlierChannels, rangeWithout } from './outlier-channels.js';
import { scaleOfRange } from './quantise.js';
import type { ModelWeights } from './stage-graph.js';
import { writeStageGraph } from './stage-graph.js';
import { StagedModel } from './staged-model.js';
import { planStages } from './stages.js';

/**
 * Runs the float32 model over the calibration texts and takes each activation site's range from its least to its
 * greatest value. Ranges are never clipped: cutting the outliers off cost 2 to 3 % of agreement where it was tried.
 * Instead the few channels of a feed-forward layer whose values are far larger than all others keep float32.
 * @returns the scale of each activation site, and the outliers of some
 */
export async function calibrate(
  config: CheckpointConfig,
  weights: ModelWeights,
  tokens: TokenColumns,
): Promise<Pick<Quantisation, 'scales' | 'outliers'>> {
  const ranges = await channelRanges(config, weights, tokens);
  const outliers = new Map<string, Int32Array>();
  for (const [site, channels] of ranges) {
    const found = site.startsWith('activated.') ? outlierChannels(channels) : [];
    if (found.length > 0) outliers.set(site, Int32Array.from(found));
  }
  const scales = Array.from(ranges, ([site, channels]) => {
    const range = rangeWithout(channels, outliers.get(site) ?? new Int32Array(0));
    return [site, scaleOfRange(range)] as const;
  });
  return { scales: new Map(scales), outliers };
}

async function channelRanges(
  config: CheckpointConfig,
  weights: ModelWeights,
  tokens: TokenColumns,
): Promise<Map<string, ChannelRanges>> {
  const stages = planStages(config, [], new Set(weights.exits.keys()));
  const bytes = stages.map((stage) =>
    writeStageGraph({ config, weights, stage, precision: 'fp32', observeRanges: true }),
  );
  const model = await StagedModel.open(bytes, stages, config.labels.length);
  const ranges = new Map<string, ChannelRanges>();
  const widen = (outputs: Readonly<Record<string, GraphTensor>>): void => {
    for (const [name, { data }] of Object.entries(outputs)) {
      if (!name.startsWith('min:')) continue;
      const site = name.slice('min:'.length);
      const least = Float32Array.from(data, Number);
      const most = Float32Array.from(outputs[`max:${site}`]?.data ?? [], Number);
      const known = ranges.get(site);
      ranges.set(site, {
        min: known === undefined ? least : known.min.map((value, i) => Math.min(value, least[i]!)),
        max: known === undefined ? most : known.max.map((value, i) => Math.max(value, most[i]!)),
      });
    }
  };
  try {
    await model.opinions(tokens, widen);
  } finally {
    await model.release();
  }
  return ranges;
}
