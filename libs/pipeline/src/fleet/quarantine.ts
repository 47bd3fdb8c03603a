import { selectRows } from '../engine/select-rows.js';
import { copyLabel, emptyLabels } from '../label-columns.js';
import type { RejectedRow } from '../ports.js';
import type { JobInput, StageJob } from './fleet-ports.js';
import type { ResultPart } from './result-part.js';

/** Rows that are tried: those of a job, or some of them. */
export interface TrialRows {
  readonly input: JobInput;
  readonly policy: StageJob['policy'];
}

/**
 * Labels rows by all stages in a process that does nothing else meanwhile, and that they may kill.
 * @throws TrialFailedError where they do, or where the model throws
 */
export type TryRows = (rows: TrialRows) => Promise<TriedRows>;

/** What a trial finds, of each of its rows. */
export type TriedRows = Pick<ResultPart, 'labels' | 'lengths' | 'truncated'>;

/** The rows of a trial ended the process, or made the model throw. */
export class TrialFailedError extends Error {
  override readonly name = 'TrialFailedError';

  constructor(
    readonly outcome: 'died' | 'threw',
    message: string,
  ) {
    super(message);
  }
}

/** Times that a row must fail alone before it is taken for the cause. */
const TRIALS = 2;

/**
 * Labels the rows of a job that may be why workers died: the whole job alone, then halves of what failed, down to rows.
 * Whatever else was in a dead process is thereby cleared.
 *
 * @throws what `tryRows` throws otherwise, such as that no process can be started
 */
export async function labelInQuarantine(
  { rows, input, policy }: Pick<StageJob, 'rows' | 'input' | 'policy'>,
  classes: number,
  tryRows: TryRows,
): Promise<ResultPart> {
  const labels = emptyLabels(rows.length, classes);
  const rejected: RejectedRow[] = [];
  const left: number[] = [];
  const lengths = new Int32Array(rows.length);
  const truncated = new Uint8Array(rows.length);
  const label = async (from: number, to: number): Promise<void> => {
    const found = await tried(() => tryRows({ input: inputOf(input, from, to), policy }), to - from);
    if (!(found instanceof TrialFailedError)) {
      lengths.set(found.lengths, from);
      truncated.set(found.truncated, from);
      for (let row = from; row < to; row += 1) {
        copyLabel(found.labels, row - from, labels, row);
        left.push(row);
      }
    } else if (to - from === 1) {
      rejected.push(rejection(rows[from] ?? -1, found));
    } else {
      const middle = (from + to) >> 1;
      await label(from, middle);
      await label(middle, to);
    }
  };
  await label(0, rows.length);
  const answers = emptyLabels(left.length, classes);
  for (const [at, row] of left.entries()) copyLabel(labels, row, answers, at);
  return {
    rows: Int32Array.from(left, (row) => rows[row] ?? -1),
    labels: answers,
    lengths: Int32Array.from(left, (row) => lengths[row]!),
    truncated: Uint8Array.from(left, (row) => truncated[row]!),
    rejected,
  };
}

/** A single row gets a second chance: the process may have died of something else. */
async function tried(attempt: () => Promise<TriedRows>, rows: number): Promise<TriedRows | TrialFailedError> {
  for (let trial = 1; ; trial += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TrialFailedError)) throw error;
      if (rows > 1 || trial === TRIALS) return error;
    }
  }
}

function rejection(index: number, { outcome, message }: TrialFailedError): RejectedRow {
  const what = outcome === 'died' ? 'ended the process that labelled it' : 'made the model fail';
  return {
    index,
    reason: outcome === 'died' ? 'kills-worker' : 'model-error',
    message: `Alone, ${TRIALS} times, the row ${what}: ${message}`,
  };
}

function inputOf(input: JobInput, from: number, to: number): TrialRows['input'] {
  if (input.kind === 'texts') {
    return { kind: 'texts', texts: input.texts.slice(from, to), pairs: input.pairs?.slice(from, to) };
  }
  return {
    kind: 'tokens',
    tokens: selectRows(
      input.tokens,
      Array.from({ length: to - from }, (_, at) => from + at),
    ),
  };
}
