import type { TokenColumns } from '../columns.js';
import type { StageJob } from './fleet-ports.js';
import type { StageTaskParts } from './stage-task-parts.js';

/** Times that rows go back to the first stage before their chunk is given up for this attempt. */
const MOST_RECOMPUTED = 5;

/** Activations are lost, or find no room, again and again before the next stage takes them. */
export class ActivationsLostError extends Error {
  override readonly name = 'ActivationsLostError';

  constructor(
    readonly run: string,
    readonly chunk: number,
    /** 0-based stage behind which they were. */
    readonly stage: number,
  ) {
    super(
      `The activations of chunk ${chunk} of run ${run} were lost ${MOST_RECOMPUTED} times before stage ${stage + 1} took ` +
        'them. Give the Redis of the activations more memory, or the stage more workers.',
    );
  }
}

/**
 * Has rows whose activations are lost begin again.
 * @param job the rows, and the stage that they were to enter
 * @throws ActivationsLostError
 */
export async function sendBack(
  job: StageJob,
  tokens: TokenColumns,
  { transport, onStep }: Pick<StageTaskParts, 'transport' | 'onStep'>,
): Promise<void> {
  if (job.recomputed >= MOST_RECOMPUTED) throw new ActivationsLostError(job.run, job.chunk, job.stage);
  await transport.add({
    ...job,
    stage: 0,
    input: { kind: 'tokens', tokens },
    recomputed: job.recomputed + 1,
  });
  onStep?.('sent-back');
}
