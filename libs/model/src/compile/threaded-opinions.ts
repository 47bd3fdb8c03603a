import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStageRunner } from '#inference/start-stage-runner.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { StageBatch, StageRunner } from '#pipeline/ports.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { ExitOpinions } from './exit-opinions.js';
import { emptyOpinions, enterOpinion } from './exit-opinions.js';
import type { LengthBatch } from './length-batches.js';
import { gatherTokens, lengthBatches } from './length-batches.js';
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
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-compile-'));
  try {
    const files = models.map((_, index) => join(scratch, `stage-${index + 1}.onnx`));
    for (const [index, file] of files.entries()) await writeFile(file, models[index]!);
    const batches = lengthBatches(tokens);
    const runner = await startStageRunner({
      files,
      layout: {
        labels: config.labels,
        task: config.task,
        hiddenSize: config.geometry.hiddenSize,
        activation: 'float32',
        stages,
      },
      workers: Math.max(1, Math.min(availableParallelism(), MAX_WORKERS, batches.length)),
    });
    try {
      return await runAll(runner, stages, tokens, batches, config.labels.length);
    } finally {
      await runner.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runAll(
  runner: StageRunner,
  stages: readonly StagePlan[],
  tokens: TokenColumns,
  batches: readonly LengthBatch[],
  classes: number,
): Promise<ExitOpinions> {
  const layers = stages.flatMap(({ exits }) => [...exits]);
  const opinions = emptyOpinions(layers, tokens.offsets.length - 1, classes);
  const queue = batches.values();
  const lane = async (): Promise<void> => {
    for (const batch of queue) {
      let input: StageBatch['input'] = { kind: 'ids', ...gatherTokens(tokens, batch) };
      for (const [stage, { exits }] of stages.entries()) {
        const policy = new Float32Array(exits.length).fill(-1);
        const result = await runner.run({
          stage,
          rows: batch.members.length,
          tokens: batch.length,
          policy,
          input,
        });
        for (const exit of result.exits) enterOpinion(opinions, exit.layer, batch.members, exit);
        input = { kind: 'hidden', hidden: result.survivors.hidden };
      }
    }
  };
  await Promise.all(Array.from({ length: runner.concurrency }, lane));
  return opinions;
}
