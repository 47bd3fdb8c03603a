import { createHash } from 'node:crypto';

import type { RowWriter } from '../ports.js';
import type { Tally } from '../report/tally.js';
import { addTallies, emptyTally } from '../report/tally.js';
import type { RunReport } from '../report/run-report.js';
import { writeDurably } from './durable-write.js';
import { temporaryOutput } from './output-file.js';
import type { RunDirectory, RunSuccess } from './run-directory.js';

export interface Finalising {
  readonly run: RunDirectory;
  /** Path of the output. */
  readonly output: string;
  readonly writer: Pick<RowWriter, 'head' | 'merge'>;
  /** The report on the counts of all committed chunks. */
  readonly report: (tally: Tally) => RunReport;
  /** Hears how many chunks are merged. */
  readonly onMerged: (chunks: number) => void;
  readonly signal: AbortSignal;
}

export interface FinishedRun {
  readonly success: RunSuccess;
  readonly report: RunReport;
}

/**
 * Merges the committed chunks of a sealed plan. The output appears under its name whole or not at all: each part is
 * checked while it is copied, and the rename comes after the last of them. `_SUCCESS` comes last.
 *
 * @throws ChunkDamagedError when a part is not what was committed
 */
export async function finaliseRun(work: Finalising): Promise<FinishedRun> {
  const { run, output } = work;
  const merged = { tally: emptyTally, bytes: 0, hash: createHash('sha256') };
  await writeDurably(
    output,
    outputOf(work, merged),
    (moment) => run.onStep(moment === 'written' ? 'merge-written' : 'output-renamed'),
    temporaryOutput(run, output),
  );
  await writeDurably(run.path('rejects.jsonl'), rejectsOf(work), (moment) => run.onStep(`rejects-${moment}`));
  const report = work.report(merged.tally);
  await writeDurably(run.path('report.json'), json(report), (moment) => run.onStep(`report-${moment}`));
  const { rows, accepted } = merged.tally;
  const success: RunSuccess = {
    rows: accepted,
    rejected: rows - accepted,
    bytes: merged.bytes,
    sha256: merged.hash.digest('hex'),
  };
  await writeDurably(run.path('_SUCCESS'), json(success), (moment) => run.onStep(`success-${moment}`));
  await run.removeParts();
  run.onStep('parts-removed');
  return { success, report };
}

async function* outputOf(
  work: Finalising,
  merged: { tally: Tally; bytes: number; hash: ReturnType<typeof createHash> },
): AsyncGenerator<Uint8Array> {
  const rows = (): AsyncGenerator<Uint8Array> => rowsOf(work, (tally) => (merged.tally = tally));
  for await (const block of work.writer.merge?.(rows) ?? joined(work.writer.head(), rows())) {
    merged.hash.update(block);
    merged.bytes += block.byteLength;
    yield block;
  }
}

async function* joined(head: Uint8Array, rows: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rows;
}

/** The rows of all chunks, checked as they are read, and at their end the counts. */
async function* rowsOf(
  { run, onMerged, signal }: Finalising,
  onEnd: (tally: Tally) => void,
): AsyncGenerator<Uint8Array> {
  let tally = emptyTally;
  let chunks = 0;
  for await (const planned of run.plan.planned()) {
    signal.throwIfAborted();
    const receipt = await run.chunks.receipt(planned);
    yield* run.chunks.output(receipt);
    tally = addTallies(tally, receipt.tally);
    onMerged((chunks += 1));
  }
  onEnd(tally);
}

async function* rejectsOf({ run, signal }: Finalising): AsyncGenerator<Uint8Array> {
  for await (const planned of run.plan.planned()) {
    signal.throwIfAborted();
    yield* run.chunks.rejects(await run.chunks.receipt(planned));
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
