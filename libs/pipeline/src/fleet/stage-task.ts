import { setMaxListeners } from 'node:events';
import type { Activation, TokenColumns } from '../columns.js';
import type { StageOutcome } from '../engine/label-task.js';
import { rowLengths, selectRows } from '../engine/select-rows.js';
import { orAborted } from '../in-flight.js';
import { copyLabel, emptyLabels } from '../label-columns.js';
import type { ModelLayout } from '../stage-layout.js';
import { decodeActivations } from './activation-blob.js';
import type { StageJob } from './fleet-ports.js';
import { giveSurvivors } from './give-survivors.js';
import type { ResultPart } from './result-part.js';
import { sendBack } from './send-back.js';
import type { StageTaskParts } from './stage-task-parts.js';

/** The texts of a job cannot be tokenised. */
export class RowsFailedError extends Error {
  override readonly name = 'RowsFailedError';
}

/**
 * Works on a job: tokenise or fetch → run the stages served here → store the results of rows that left → re-queue the
 * survivors. May be done twice, or end anywhere: the job is given out again, and comes to the same.
 *
 * @param signal aborts when the job is no longer this worker's
 * @throws RowsFailedError, StageFailedError where the rows may be the cause
 * @throws PolicyError, ActivationsLostError; the signal's reason
 */
export async function runStageJob(job: StageJob, parts: StageTaskParts, signal: AbortSignal): Promise<void> {
  // Every slice of the job waits for it.
  setMaxListeners(0, signal);
  const { input } = job;
  parts.onStep?.('job-begun');
  if (input.kind === 'texts') {
    const tokenizing = parts.tokenizer.tokenize(input.texts, input.pairs).catch((error: unknown) => {
      throw new RowsFailedError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    const tokens = await orAborted(tokenizing, signal);
    await runRows(job, tokens, undefined, parts, signal);
  } else if (input.activations === undefined) {
    await runRows(job, input.tokens, undefined, parts, signal);
  } else {
    const { tokens, activations: key } = input;
    const work = async (): Promise<void> => {
      const hidden = await fetchActivations(job, key, parts, signal);
      if (hidden === undefined) await sendBack(job, tokens, parts);
      else await runRows(job, tokens, hidden, parts, signal);
      await orAborted(parts.activations.drop(key), signal);
      parts.onStep?.('activations-dropped');
    };
    await parts.budgets.arrived.with(tokens.ids.length * bytesOfToken(parts.layout), work, {
      urgent: job.urgent,
      signal,
    });
  }
}

const bytesOfToken = ({ hiddenSize, activation }: ModelLayout): number =>
  hiddenSize * (activation === 'float16' ? 2 : 4);

async function fetchActivations(
  { rows }: StageJob,
  key: string,
  { activations, onRetry, onStep }: StageTaskParts,
  signal: AbortSignal,
): Promise<Activation | undefined> {
  const bytes = await orAborted(activations.get(key), signal);
  onStep?.('activations-fetched');
  const hidden = bytes && decodeActivations(bytes);
  if (hidden === undefined) {
    onRetry?.(bytes === undefined ? 'activations-missing' : 'activations-damaged', rows.length);
  }
  return hidden;
}

async function runRows(
  job: StageJob,
  tokens: TokenColumns,
  hidden: Activation | undefined,
  parts: StageTaskParts,
  signal: AbortSignal,
): Promise<void> {
  const { lastStage, layout, budgets, engines, blobBytes } = parts;
  const engine = engines.of(job.policy);
  const { stage, urgent } = job;
  const width = bytesOfToken(layout);
  const isWhole = lastStage === layout.stages.length - 1;
  const work = async (from: number, to: number): Promise<void> => {
    signal.throwIfAborted();
    const indices = Array.from({ length: to - from }, (_, at) => from + at);
    const slice = { rows: job.rows.subarray(from, to), tokens: selectRows(tokens, indices) };
    const start = (tokens.offsets[from] ?? 0) * layout.hiddenSize;
    const end = (tokens.offsets[to] ?? 0) * layout.hiddenSize;
    const entry = hidden && { stage, hidden: hidden.subarray(start, end) };
    const outcome = await orAborted(engine.run({ tokens: slice.tokens, entry, urgent, signal }), signal);
    await settle({ ...job, rows: slice.rows }, slice.tokens, outcome, parts, signal);
  };
  if (isWhole) return work(0, job.rows.length);
  // The rows decide where they are cut, so that whoever works on them makes the same jobs of the survivors.
  const slices = [...slicesOf(tokens.offsets, Math.max(1, Math.floor(blobBytes / width)))];
  await Promise.all(
    slices.map(([from, to]) => {
      const bytes = ((tokens.offsets[to] ?? 0) - (tokens.offsets[from] ?? 0)) * width;
      return budgets.survivors.with(bytes, () => work(from, to), { urgent, signal });
    }),
  );
}

/** Ranges of rows of at most so many tokens, or of one longer row. */
function* slicesOf(offsets: Int32Array, tokens: number): Generator<[number, number]> {
  let from = 0;
  for (let row = 1; row < offsets.length; row += 1) {
    if ((offsets[row] ?? 0) - (offsets[from] ?? 0) <= tokens || row - from === 1) continue;
    yield [from, row - 1];
    from = row - 1;
  }
  yield [from, offsets.length - 1];
}

/** Stores what is known and gives the rest to the next stage, both before the job counts as done. */
async function settle(
  job: StageJob,
  tokens: TokenColumns,
  { labels, survivors }: StageOutcome,
  parts: StageTaskParts,
  signal: AbortSignal,
): Promise<void> {
  const survives = new Uint8Array(labels.rows);
  for (const row of survivors.rows) survives[row] = 1;
  const left = Array.from(survives.keys()).filter((row) => survives[row] === 0);
  if (left.length > 0) {
    const part = partOf(job.rows, tokens, labels, left);
    if ((await parts.results.put(job, part, job.chunkRows)) === 'refused') return;
    parts.onStep?.('results-stored');
  }
  if (survivors.rows.length > 0) await giveSurvivors(job, tokens, survivors, parts, signal);
}

function partOf(
  rows: Int32Array,
  tokens: TokenColumns,
  labels: StageOutcome['labels'],
  left: readonly number[],
): ResultPart {
  const selected = left.length === labels.rows ? labels : emptyLabels(left.length, labels.classes);
  const of = left.length === labels.rows ? tokens : selectRows(tokens, left);
  if (selected !== labels) for (const [at, row] of left.entries()) copyLabel(labels, row, selected, at);
  return {
    rows: Int32Array.from(left, (row) => rows[row] ?? -1),
    labels: selected,
    lengths: rowLengths(of),
    truncated: of.truncated,
    rejected: [],
  };
}
