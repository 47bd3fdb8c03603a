import type { TokenColumns } from '#pipeline/columns.js';
import type { StageBatch, StageRunner } from '#pipeline/ports.js';
import type { StageLayout } from '#pipeline/stage-layout.js';
import type { ExitOpinions } from './exit-opinions.js';
import { emptyOpinions, enterOpinion } from './exit-opinions.js';
import { gatherTokens, lengthBatches } from './length-batches.js';

/** No uncertainty is below it: nobody leaves. */
const NEVER = -1;

/**
 * What every exit says of every row: all of them run through all stages, in batches of one exact length, as many side by
 * side as the runner takes.
 * @param stages those that the runner serves
 */
export async function runnerOpinions(
  runner: StageRunner,
  stages: readonly StageLayout[],
  tokens: TokenColumns,
  classes: number,
): Promise<ExitOpinions> {
  const layers = stages.flatMap(({ exits }) => [...exits]);
  const opinions = emptyOpinions(layers, tokens.offsets.length - 1, classes);
  const queue = lengthBatches(tokens).values();
  const lane = async (): Promise<void> => {
    for (const batch of queue) {
      let input: StageBatch['input'] = { kind: 'ids', ...gatherTokens(tokens, batch) };
      for (const [stage, { exits }] of stages.entries()) {
        const policy = new Float32Array(exits.length).fill(NEVER);
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
