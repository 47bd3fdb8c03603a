import type { Activation, TokenColumns } from '../columns.js';
import type { Survivors } from '../engine/label-task.js';
import { selectRows } from '../engine/select-rows.js';
import { orAborted } from '../in-flight.js';
import { encodeActivations } from './activation-blob.js';
import { ActivationsFullError } from './activations-full-error.js';
import type { ActivationStore, Added, StageJob } from './fleet-ports.js';
import { activationKey, jobName } from './job-name.js';
import { sendBack } from './send-back.js';
import type { StageTaskParts } from './stage-task-parts.js';
import { waitForRoom } from './wait-for-room.js';

/** Why a worker lets go of rows of a job that is still its own: no job of this attempt will ask for what they leave. */
export class RowsUnwantedError extends Error {
  override readonly name = 'RowsUnwantedError';
}

/**
 * Gives rows that survived the stages here to the queue of the next one, their activations first. Rows that enter wait for room
 * before that.
 * @param tokens of the job's rows
 * @throws ActivationsLostError, the signal's reason
 */
export async function giveSurvivors(
  job: StageJob,
  tokens: TokenColumns,
  survivors: Survivors,
  parts: StageTaskParts,
  signal: AbortSignal,
): Promise<void> {
  const { layout, lastStage, budgets } = parts;
  const rows = survivors.rows.map((row) => job.rows[row] ?? -1);
  const next = { ...job, stage: lastStage + 1, rows };
  const give = async (): Promise<void> => {
    const key = activationKey(job, jobName(next));
    const ofSurvivors = selectRows(tokens, [...survivors.rows]);
    try {
      await putActivations(job, key, survivors.hidden, parts, signal);
    } catch (error) {
      if (!(error instanceof ActivationsFullError)) throw error;
      // Else the whole job would fail, and its chunk be given again.
      parts.onRetry?.('activations-refused', rows.length);
      return orAborted(sendBack(next, ofSurvivors, parts), signal);
    }
    parts.onStep?.('activations-stored');
    await addJob(next, ofSurvivors, key, parts, signal);
    parts.onStep?.('next-added');
  };
  // Deeper stages never wait for room: what they work off makes it. Rows that somebody waits for are few.
  if (job.stage > 0 || job.urgent === true) return give();
  const bytes = survivors.hidden.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const behind = Array.from(layout.stages.keys()).slice(lastStage + 1);
  const enter = async (): Promise<void> => {
    await orAborted(waitForRoom(bytes, behind, parts, signal), signal);
    // Those that wait behind it see its job.
    await give();
  };
  await budgets.entering.with(bytes, enter, { signal });
}

/** Those that a job came with. */
export async function dropActivations(
  { input }: StageJob,
  activations: Pick<ActivationStore, 'drop'>,
): Promise<void> {
  if (input.kind === 'tokens' && input.activations !== undefined) await activations.drop(input.activations);
}

async function putActivations(
  job: StageJob,
  key: string,
  hidden: readonly Activation[],
  { activations, results }: StageTaskParts,
  signal: AbortSignal,
): Promise<void> {
  // They are kept so that the job can be done again; without them its rows begin again, which is better than a full store.
  const makeRoom = (): Promise<void> => dropActivations(job, activations);
  const put = activations.put(key, encodeActivations(hidden), { signal, makeRoom });
  try {
    await orAborted(put, signal);
  } catch (error) {
    // It may still come to be there. Another worker may have the job now, and want it.
    const dropUnwanted = async (): Promise<void> => {
      if (error instanceof RowsUnwantedError || !(await results.isOpen(job))) await activations.drop(key);
    };
    void put.then(dropUnwanted).catch(() => undefined);
    throw error;
  }
}

async function addJob(
  job: StageJob,
  tokens: TokenColumns,
  activations: string,
  parts: StageTaskParts,
  signal: AbortSignal,
): Promise<void> {
  let added: Added | undefined;
  try {
    added = await parts.transport.add({ ...job, input: { kind: 'tokens', tokens, activations } });
  } finally {
    // No job will ask for them; or one that was added after all, whose rows begin again.
    if (added !== 'added') await orAborted(parts.activations.drop(activations), signal);
  }
}
