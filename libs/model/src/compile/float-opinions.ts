import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { ModelWeights } from './stage-graph.js';
import { writeStageGraph } from './stage-graph.js';
import type { ExitOpinions } from './staged-model.js';
import { StagedModel } from './staged-model.js';
import type { StagePlan } from './stages.js';

/** What every exit says in float32: the reference of all other precisions. */
export async function floatOpinions(
  config: CheckpointConfig,
  weights: ModelWeights,
  stages: readonly StagePlan[],
  tokens: TokenColumns,
): Promise<ExitOpinions> {
  const models = stages.map((stage) => writeStageGraph({ config, weights, stage, precision: 'fp32' }));
  const model = await StagedModel.open(models, stages, config.labels.length);
  try {
    return await model.opinions(tokens);
  } finally {
    await model.release();
  }
}
