import { inFlight, untilAborted } from './in-flight.js';
import type { ChunkWork } from './label-chunk.js';
import { labelChunk } from './label-chunk.js';
import type { Corpus, CorpusChunk, PlannedChunk } from './ports.js';
import type { Tally } from './report/tally.js';
import { addTallies, emptyTally } from './report/tally.js';
import type { RunReport } from './report/run-report.js';
import { countedReport, isRunReport } from './report/run-report.js';
import { share } from './report/counts.js';
import type { FinishedRun } from './run-directory/finalise-run.js';
import { finaliseRun } from './run-directory/finalise-run.js';
import { OutputChangedError, prepareOutput, verifyOutput } from './run-directory/output-file.js';
import type { RunDirectory } from './run-directory/run-directory.js';
import { RunDirectoryError, readJson } from './run-directory/read-json.js';

/** What a run is made of. `labelRun` closes none of it: who opened it closes it. */
export interface LabelRunParts extends ChunkWork {
  readonly run: RunDirectory;
  /** Reads with the chunk rows of `run.record`. */
  readonly corpus: Corpus;
  /** Layers of the model, L. */
  readonly layers: number;
}

export interface LabelRunOptions {
  /** Path of the output. */
  readonly output: string;
  /** Chunks between reading and commit, the bound of memory; 16 unless told. */
  readonly chunksInFlight?: number | undefined;
  /** Aborting stops soon and leaves a run that can be resumed. */
  readonly signal?: AbortSignal | undefined;
  /** Must not throw and must return at once. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

export type RunPhase = 'verifying' | 'labelling' | 'merging' | 'finished';

/** Where a run stands; sent at each change of phase and for each chunk planned, verified, committed or merged. */
export interface RunProgress {
  readonly phase: RunPhase;
  /** Counts over all committed chunks, resumed ones included. */
  readonly tally: Tally;
  /** Rows that earlier sessions committed. */
  readonly rowsResumed: number;
  /** Rows and bytes of the corpus that were read so far. */
  readonly rowsPlanned: number;
  readonly bytesPlanned: number;
  /** Bytes of the corpus, while known. */
  readonly totalBytes: number | undefined;
  readonly chunksCommitted: number;
  /** Grows until the corpus is read to its end. */
  readonly chunksPlanned: number;
  readonly chunksMerged: number;
}

export interface LabelRunResult extends FinishedRun {
  /** The run was finished before; nothing was computed, the output was verified. */
  readonly alreadyFinished: boolean;
}

/** The run was stopped before its end. */
export class RunStoppedError extends Error {
  override readonly name = 'RunStoppedError';

  constructor(
    readonly folder: string,
    readonly rowsCommitted: number,
  ) {
    super(
      `Stopped with ${rowsCommitted} rows committed in ${folder}. Run the same command again to resume from there.`,
    );
  }
}

/**
 * Labels a corpus, from wherever the run directory stands to the finished output:
 *
 *     verify what is committed → read, plan → label → format → commit → merge
 *
 * Chunks are worked on side by side and committed as they are done; the merge puts them in order.
 *
 * @throws RunStoppedError after `signal` aborted
 * @throws OutputPathError, OutputExistsError before any work
 * @throws OutputChangedError the run was finished before and its output is not what it was
 * @throws the first error of any part; the run can be resumed unless it says otherwise
 */
export async function labelRun(parts: LabelRunParts, options: LabelRunOptions): Promise<LabelRunResult> {
  const finished = await finishedRun(parts.run, options.output, async (planned) => {
    for await (const chunk of planned) await parts.corpus.verify(chunk);
  });
  if (finished !== undefined) return finished;
  const session = new Session(parts, options);
  const stop = (): void => session.stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted === true) stop();
  try {
    await prepareOutput(parts.run, options.output);
    const open = await session.verify();
    await session.label(open);
    return { ...(await session.finalise()), alreadyFinished: false };
  } catch (error) {
    // Commits in progress at the stop have ended since, so only now is the count right.
    throw error instanceof RunStoppedError ? session.stopped() : error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/**
 * The result of a run that was finished before, its corpus and output verified; undefined while the run is unfinished.
 * Needs no model.
 *
 * @param verifyCorpus throws unless the corpus has the bytes of the planned chunks
 * @throws OutputChangedError the output is not what it was
 * @throws RunDirectoryError the plan is not that of the finished run
 */
export async function finishedRun(
  run: RunDirectory,
  output: string,
  verifyCorpus: (planned: AsyncIterable<PlannedChunk>) => Promise<void>,
): Promise<LabelRunResult | undefined> {
  if (run.success === undefined) return undefined;
  await run.removeParts();
  const report = await readJson(run.folder, 'report.json', isRunReport);
  if (report === undefined) throw new OutputChangedError(run.path('report.json'), run.folder, 'is missing');
  if (report.corpusHash !== run.plan.corpusHash) {
    throw new RunDirectoryError(
      run.folder,
      `The plan in ${run.folder} is damaged, so it cannot be told whether the corpus is still what was labelled. ` +
        'Delete the run directory and its output, and label the corpus again.',
    );
  }
  await verifyCorpus(run.plan.planned());
  await verifyOutput(run, run.success, output);
  return { success: run.success, report, alreadyFinished: true };
}

/** One process's work on a run. */
class Session {
  readonly #parts: LabelRunParts;
  readonly #options: LabelRunOptions;
  readonly #stop = new AbortController();
  readonly #begun = performance.now();
  #phase: RunPhase = 'verifying';
  #tally = emptyTally;
  #rowsResumed = 0;
  #chunksCommitted = 0;
  #chunksMerged = 0;
  #seconds = 0;

  constructor(parts: LabelRunParts, options: LabelRunOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  stop(): void {
    this.#stop.abort(this.stopped());
  }

  stopped(): RunStoppedError {
    return new RunStoppedError(this.#parts.run.folder, this.#tally.rows);
  }

  /**
   * Takes over what earlier sessions committed, if the corpus still has the bytes that it came from.
   *
   * @returns planned chunks that are not committed, or no longer whole
   */
  async verify(): Promise<PlannedChunk[]> {
    const { run, corpus } = this.#parts;
    this.#enter('verifying');
    const open: PlannedChunk[] = [];
    for await (const planned of run.plan.planned()) {
      this.#stop.signal.throwIfAborted();
      if (await this.#resume(planned)) await corpus.verify(planned);
      else open.push(planned);
    }
    return open;
  }

  /** Labels and commits the open chunks, then those behind the plan. */
  async label(open: readonly PlannedChunk[]): Promise<void> {
    this.#enter('labelling');
    const limit = this.#options.chunksInFlight ?? 16;
    await inFlight(this.#chunks(open), limit, this.#stop, (chunk) => this.#labelAndCommit(chunk));
    this.#seconds = (performance.now() - this.#begun) / 1000;
  }

  async finalise(): Promise<FinishedRun> {
    const { run, writer } = this.#parts;
    this.#enter('merging');
    const finished = await finaliseRun({
      run,
      output: this.#options.output,
      writer,
      report: (tally) => this.#report(tally),
      onMerged: (chunks) => {
        this.#chunksMerged = chunks;
        this.#tell();
      },
      signal: this.#stop.signal,
    });
    this.#enter('finished');
    return finished;
  }

  /** Everything left to label, read just ahead of the work; new chunks enter the plan before they are given out. */
  async *#chunks(open: readonly PlannedChunk[]): AsyncGenerator<CorpusChunk> {
    const { run, corpus } = this.#parts;
    for (const planned of open) yield await corpus.reread(planned);
    if (run.plan.sealed) return;
    for await (const chunk of untilAborted(corpus.chunks(run.plan.last), this.#stop.signal)) {
      await run.plan.append(chunk);
      run.onStep('planned', chunk.chunk);
      this.#tell();
      // Committed already where a damaged plan had to be cut off before it.
      if (!(await this.#resume(chunk))) yield chunk;
    }
    await run.plan.seal();
    run.onStep('plan-sealed');
  }

  async #labelAndCommit(chunk: CorpusChunk): Promise<void> {
    const { run } = this.#parts;
    const { output, rejects, tally } = await labelChunk(chunk, this.#parts, this.#stop.signal);
    await run.plan.sync(chunk.chunk);
    run.onStep('plan-synced', chunk.chunk);
    await run.chunks.commit(chunk, output, rejects, tally);
    this.#count(tally);
  }

  /** Counts a chunk that an earlier session committed. @returns whether one did */
  async #resume(planned: PlannedChunk): Promise<boolean> {
    const receipt = await this.#parts.run.chunks.committed(planned);
    if (receipt === undefined) return false;
    this.#rowsResumed += planned.rows;
    this.#count(receipt.tally);
    return true;
  }

  #count(tally: Tally): void {
    this.#tally = addTallies(this.#tally, tally);
    this.#chunksCommitted += 1;
    this.#tell();
  }

  #report(tally: Tally): RunReport {
    const { run, labels, layers, labeller } = this.#parts;
    const rows = tally.rows - this.#rowsResumed;
    const seconds = this.#seconds;
    return {
      run: run.record.id,
      bundle: run.record.bundle,
      fingerprints: run.record.fingerprints,
      corpusHash: run.plan.corpusHash,
      ...countedReport(tally, labels, layers),
      lastSession: {
        rows,
        rowsRepeated: labeller.rowsRepeated ?? 0,
        seconds,
        rowsPerSecond: share(rows, seconds),
      },
    };
  }

  #enter(phase: RunPhase): void {
    this.#phase = phase;
    this.#tell();
  }

  #tell(): void {
    const { run, corpus } = this.#parts;
    this.#options.onProgress?.({
      phase: this.#phase,
      tally: this.#tally,
      rowsResumed: this.#rowsResumed,
      rowsPlanned: run.plan.rows,
      bytesPlanned: run.plan.bytes,
      totalBytes: corpus.bytes,
      chunksCommitted: this.#chunksCommitted,
      chunksPlanned: run.plan.chunks,
      chunksMerged: this.#chunksMerged,
    });
  }
}
