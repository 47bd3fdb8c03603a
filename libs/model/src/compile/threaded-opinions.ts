import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStageRunner } from '#inference/start-stage-runner.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { ExitOpinions } from './exit-opinions.js';
import { lengthBatches } from './length-batches.js';
import { runnerOpinions } from './runner-opinions.js';
import type { StagePlan } from './stages.js';

/** Each worker holds the whole model in memory. */
const MAX_WORKERS = 4;

/**
 * What every exit of compiled stages says of every row. Batches run side by side in worker threads, each on one thread of
 * its own: a row's bits depend neither on its batch nor on how many workers there are, so bundles stay reproducible.
 *
 * @param models the graph of each stage
 * @throws GraphLoadError, StageThreadError
 */
export async function threadedOpinions(
  config: CheckpointConfig,
  stages: readonly StagePlan[],
  models: readonly Buffer[],
  tokens: TokenColumns,
): Promise<ExitOpinions> {
  const workers = Math.max(1, Math.min(availableParallelism(), MAX_WORKERS, lengthBatches(tokens).length));
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-compile-'));
  try {
    const files = models.map((_, index) => join(scratch, `stage-${index + 1}.onnx`));
    for (const [index, file] of files.entries()) await writeFile(file, models[index]!);
    const runner = await startStageRunner({
      files,
      layout: {
        labels: config.labels,
        task: config.task,
        hiddenSize: config.geometry.hiddenSize,
        activation: 'float32',
        stages,
      },
      workers,
    });
    try {
      return await runnerOpinions(runner, stages, tokens, config.labels.length);
    } finally {
      await runner.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
