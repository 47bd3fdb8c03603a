import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { ExitOpinions } from './exit-opinions.js';
import type { ModelWeights } from './stage-graph.js';
import { writeStageGraph } from './stage-graph.js';
import type { StagePlan } from './stages.js';
import { threadedOpinions } from './threaded-opinions.js';

/** What every exit says in float32: the reference of all other precisions. */
export function floatOpinions(
  config: CheckpointConfig,
  weights: ModelWeights,
  stages: readonly StagePlan[],
  tokens: TokenColumns,
): Promise<ExitOpinions> {
  const models = stages.map((stage) => writeStageGraph({ config, weights, stage, precision: 'fp32' }));
  return threadedOpinions(config, stages, models, tokens);
}
