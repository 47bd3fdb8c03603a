import { fingerprint } from '#inference/fingerprint.js';
import type { Golden } from '../bundle/golden.js';
import { goldenTexts } from '../bundle/golden.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { floatOpinions } from './float-opinions.js';
import type { SampleTokenizer } from './sample-texts.js';
import type { ModelWeights, Precision } from './stage-graph.js';
import type { StagePlan } from './stages.js';
import { threadedOpinions } from './threaded-opinions.js';

/** What every exit of the compiled stages says of the golden texts. float16 needs a GPU: there, what float32 says. */
export async function labelGolden(
  precision: Precision,
  config: CheckpointConfig,
  weights: ModelWeights,
  stages: readonly StagePlan[],
  models: readonly Buffer[],
  tokenizer: SampleTokenizer,
): Promise<Golden> {
  const pairs = config.task === 'pair' ? goldenTexts.toReversed() : undefined;
  const tokens = tokenizer.tokenize({ texts: goldenTexts, pairs });
  const opinions =
    precision === 'fp16'
      ? await floatOpinions(config, weights, stages, tokens)
      : await threadedOpinions(config, stages, models, tokens);
  return {
    fingerprint: precision === 'fp16' ? 'float32 reference' : fingerprint(),
    texts: goldenTexts.map((text, row) => ({
      text,
      pair: pairs?.[row],
      ids: [...tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])],
      exits: [...opinions.exits].map(([layer, { probabilities, uncertainty }]) => ({
        layer,
        probabilities: [...probabilities.subarray(row * opinions.classes, (row + 1) * opinions.classes)],
        uncertainty: uncertainty[row]!,
      })),
    })),
  };
}

/** Layer of an exit that gives no numbers, as weights do that overflow; undefined where all do. */
export function brokenExit({ texts }: Golden): number | undefined {
  const broken = texts
    .flatMap(({ exits }) => exits)
    .find(({ probabilities }) => !probabilities.every(Number.isFinite));
  return broken?.layer;
}
