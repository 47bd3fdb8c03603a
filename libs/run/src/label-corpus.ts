import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { CorpusOpenError } from '#corpus/corpus-errors.js';
import type { CorpusOptions, StandardInput } from '#corpus/corpus-options.js';
import { expectPlanned } from '#corpus/expect-planned.js';
import type { FileCorpus } from '#corpus/file-corpus.js';
import { GzipWriter } from '#corpus/gzip-writer.js';
import { openCorpus } from '#corpus/open-corpus.js';
import { createRowWriter } from '#corpus/row-writer.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { answerFormOf } from '#model/bundle/manifest.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import type { LabelRunResult, RunProgress } from '#pipeline/label-run.js';
import { finishedRun, labelRun } from '#pipeline/label-run.js';
import type { ChunkLabeller } from '#pipeline/ports.js';
import { prepareOutput } from '#pipeline/run-directory/output-file.js';
import type { RunFile, RunSettings } from '#pipeline/run-directory/run-record.js';
import { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import { checkPlaces } from './check-places.js';
import { checkGolds, checkTask } from './check-task.js';
import { crashPoint } from './crash-point.js';
import type { RunOptions } from './label-options.js';

export interface LabelHooks {
  readonly signal?: AbortSignal | undefined;
  /** A run directory that held this run already, and other remarks for the user. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

/** Who labels the chunks: threads of this process, or a fleet. */
export interface ChunkWorkers {
  /** Of the runtimes whose labels come from it. */
  readonly fingerprint: string;
  open(run: RunDirectory): Promise<OpenChunkLabeller>;
}

export interface OpenChunkLabeller {
  readonly labeller: ChunkLabeller;
  /** Chunks between reading and commit; as `labelRun` has it unless told. */
  readonly chunksInFlight?: number | undefined;
  close(): Promise<void>;
}

export interface LabelCorpusResult extends LabelRunResult {
  /**
   * Fields that a csv output could not carry, first seen behind the rows that gave it its columns, and how many of the
   * rows that this process labelled lost them.
   */
  readonly fieldsLeftOut: ReadonlyMap<string, number>;
}

/** The run was stopped while it waited for the first rows. */
export class StoppedEarlyError extends Error {
  override readonly name = 'StoppedEarlyError';

  constructor() {
    super('Stopped while waiting for standard input. Run the same command again.');
  }
}

/** The life of a run: opens every part, labels, closes every part. */
export async function labelCorpus(
  bundle: Bundle,
  policy: ExitPolicy,
  options: RunOptions,
  workers: ChunkWorkers,
  hooks: LabelHooks = {},
): Promise<LabelCorpusResult> {
  checkTask(bundle.manifest, options.pairField);
  checkGolds(bundle.manifest, options.labelField);
  await checkPlaces(options);
  const lost = new AbortController();
  const run = await RunDirectory.open(options.runDir, await runSettings(bundle, policy, options, workers), {
    acceptFingerprint: options.acceptFingerprint,
    onStep: crashPoint(process.env['SLUICE_CRASH_AT']),
    onLost: (error) => lost.abort(error),
  });
  const signal = hooks.signal === undefined ? lost.signal : AbortSignal.any([hooks.signal, lost.signal]);
  const readsStdin = options.corpus.includes('-');
  let corpus: FileCorpus | undefined;
  let opened: OpenChunkLabeller | undefined;
  try {
    // Who waits for standard input shall not wait on when the user has stopped it.
    const stream = readsStdin ? addAbortSignal(signal, process.stdin) : undefined;
    const input = corpusOptions(bundle, options, run, stream && { stream, spoolPath: run.spool });
    const finished = await finishedRun(run, options.out, (planned) => expectPlanned(input, planned));
    if (finished !== undefined) return { ...finished, fieldsLeftOut: new Map() };
    // Before standard input is read, which nobody may be able to give again.
    await prepareOutput(run, options.out);
    for (const note of run.notes) hooks.onNote?.(note);
    if (run.resumed) hooks.onNote?.(`Resuming the run in ${run.folder}.`);
    corpus = await openCorpus(input);
    for (const note of corpus.convention.notes) hooks.onNote?.(note);
    opened = await workers.open(run);
    const { labels, geometry } = bundle.manifest;
    const form = answerFormOf(bundle.manifest);
    const rows = createRowWriter({
      ...options,
      format: options.outFormat,
      fields: corpus.fields,
      labels,
      form,
    });
    await run.expectHead(rows.head());
    const writer = options.compress ? new GzipWriter(rows) : rows;
    const { labeller, chunksInFlight } = opened;
    const result = await labelRun(
      {
        run,
        corpus,
        labeller,
        writer,
        labels,
        form,
        layers: geometry.layers,
      },
      { output: options.out, signal, onProgress: hooks.onProgress, chunksInFlight },
    );
    return { ...result, fieldsLeftOut: 'leftOut' in rows ? rows.leftOut : new Map() };
  } catch (error) {
    lost.signal.throwIfAborted();
    // Standard input that is waited for tells of the stop by an error of its own.
    const waited = readsStdin && corpus === undefined && signal.aborted;
    throw waited ? new StoppedEarlyError() : error;
  } finally {
    await opened?.close();
    await corpus?.close();
    // A corrected command shall find no trace of one that came to nothing.
    await ((await run.isUnused()) ? run.discard() : run.close());
  }
}

async function runSettings(
  bundle: Bundle,
  policy: ExitPolicy,
  options: RunOptions,
  { fingerprint }: ChunkWorkers,
): Promise<RunSettings> {
  return {
    files: await corpusFiles(options.corpus),
    bundle: bundle.hash,
    format: options.compress ? `${options.outFormat}.gz` : options.outFormat,
    policy,
    options: {
      inputFormat: options.format ?? null,
      header: options.header ?? null,
      quotes: options.quotes ?? null,
      textField: options.textField ?? null,
      pairField: options.pairField ?? null,
      labelField: options.labelField ?? null,
      fields: options.fields ?? null,
      limit: options.limit ?? null,
      maxRowBytes: options.maxRowBytes ?? null,
      probabilities: options.probabilities,
      spreadsheetSafe: options.spreadsheetSafe,
    },
    fingerprint,
    chunkRows: options.chunkRows,
  };
}

async function corpusFiles(paths: readonly string[]): Promise<RunFile[]> {
  const files: RunFile[] = [];
  for (const path of paths) files.push(await corpusFile(path));
  return files;
}

async function corpusFile(path: string): Promise<RunFile> {
  if (path === '-') return { path, bytes: null };
  const file = await stat(path).catch((error: Error) => {
    throw new CorpusOpenError(path, error.message);
  });
  return { path: resolve(path), bytes: file.size };
}

function corpusOptions(
  { manifest: { task, labels, problem } }: Bundle,
  options: RunOptions,
  run: RunDirectory,
  stdin: StandardInput | undefined,
): CorpusOptions {
  const { chunkRows } = run.record;
  return {
    ...options,
    paths: options.corpus,
    names: options.corpusNames,
    stdin,
    chunkRows,
    recognise: { task, labels, problem },
  };
}
