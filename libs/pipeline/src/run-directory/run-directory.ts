import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { ChunkStore } from './chunk-store.js';
import { makeFolder, temporarySuffix, writeDurably } from './durable-write.js';
import { openEpochs } from './epoch-file.js';
import { PlanLog } from './plan-log.js';
import { RunDirectoryError, readJson } from './read-json.js';
import { isMissing } from './record-line.js';
import { RunLock, isLockFile } from './run-lock.js';
import type { RunRecord, RunSettings } from './run-record.js';
import { RunMismatchError, differences, isRunRecord, newRecord, runFormat } from './run-record.js';
import type { OnStep } from './run-steps.js';
import { hasShape } from './stored-shape.js';

const EPOCHS = 'epochs.json';

/** `_SUCCESS`: the run is finished and this is its output. */
export interface RunSuccess {
  /** Rows of the output, without its head. */
  readonly rows: number;
  readonly rejected: number;
  readonly bytes: number;
  readonly sha256: string;
}

export function isRunSuccess(value: unknown): value is RunSuccess {
  return hasShape(value, { rows: 'number', rejected: 'number', bytes: 'number', sha256: 'string' });
}

export interface OpenRunOptions {
  /** Go on although the run began with another fingerprint; labels may then differ in their last digits. */
  readonly acceptFingerprint?: boolean | undefined;
  readonly onStep?: OnStep | undefined;
  /** Hears that another host took the directory over: nothing may be written to it any more. */
  readonly onLost?: ((error: Error) => void) | undefined;
}

/** An open run directory: locked, cleared of temporary files, its plan read back. */
export class RunDirectory {
  readonly folder: string;
  readonly record: RunRecord;
  /** The directory held this run already. */
  readonly resumed: boolean;
  /** What the user should know about how the run was opened. */
  readonly notes: readonly string[];
  /** Set once the run is finished. */
  readonly success: RunSuccess | undefined;
  readonly plan: PlanLog;
  readonly chunks: ChunkStore;
  readonly onStep: OnStep;
  readonly #lock: RunLock;

  private constructor(opened: {
    folder: string;
    record: RunRecord;
    resumed: boolean;
    notes: readonly string[];
    success: RunSuccess | undefined;
    plan: PlanLog;
    chunks: ChunkStore;
    onStep: OnStep;
    lock: RunLock;
  }) {
    this.folder = opened.folder;
    this.record = opened.record;
    this.resumed = opened.resumed;
    this.notes = opened.notes;
    this.success = opened.success;
    this.plan = opened.plan;
    this.chunks = opened.chunks;
    this.onStep = opened.onStep;
    this.#lock = opened.lock;
  }

  /**
   * Opens a run directory, or makes it.
   *
   * @throws RunLockedError another process has it
   * @throws RunMismatchError it holds another run
   * @throws RunDirectoryError it holds something else
   */
  static async open(
    folder: string,
    settings: RunSettings,
    options: OpenRunOptions = {},
  ): Promise<RunDirectory> {
    const onStep = options.onStep ?? (() => undefined);
    try {
      await refuseForeign(folder);
      await makeFolder(folder);
    } catch (error) {
      throw error instanceof RunDirectoryError ? error : unusable(folder, error);
    }
    const lock = await RunLock.acquire(folder, options.onLost);
    try {
      await removeTemporaries(folder);
      await removeTemporaries(join(folder, 'chunks'));
      const stored = await readJson(folder, 'run.json', isRunRecord);
      const record = stored
        ? checkedRecord(folder, stored, settings, options, await isBegun(folder))
        : newRecord(randomUUID().slice(0, 8), settings);
      if (record !== stored) {
        await writeDurably(join(folder, 'run.json'), `${JSON.stringify(record, undefined, 2)}\n`);
        onStep('run-written');
      }
      const success = await readJson(folder, '_SUCCESS', isRunSuccess);
      const chunks = new ChunkStore(join(folder, 'chunks'), record.format, onStep);
      if (success === undefined) await chunks.create();
      const plan = await PlanLog.open(join(folder, 'plan.jsonl'));
      const notes = notesOn(record, settings);
      const resumed = stored !== undefined;
      return new RunDirectory({ folder, record, resumed, notes, success, plan, chunks, onStep, lock });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Where standard input is kept while the run is unfinished. */
  get spool(): string {
    return join(this.folder, 'input');
  }

  /** Where the reader of standard input notes that the spool is whole. */
  get spoolSeal(): string {
    return `${this.spool}.sealed`;
  }

  path(name: 'rejects.jsonl' | 'report.json' | '_SUCCESS'): string {
    return join(this.folder, name);
  }

  /**
   * Notes the head of the output, or compares it with that of the chunks committed so far: the columns of a csv come from
   * the first rows of JSON, and where those are not planned yet no plan tells that they changed.
   * @throws RunDirectoryError when it is another
   */
  async expectHead(head: Uint8Array): Promise<void> {
    if (head.length === 0) return;
    const noted = (await isBegun(this.folder)) ? await bytesIn(this.#head) : undefined;
    if (noted === undefined) {
      await writeDurably(this.#head, head);
    } else if (!noted.equals(head)) {
      throw new RunDirectoryError(
        this.folder,
        `The columns of the output are no longer those that the run in ${this.folder} began with: the first rows of the ` +
          'corpus changed. Restore the corpus, or start a new run.',
      );
    }
  }

  /** Gives numbers that no attempt of this run has had, in this session or an earlier one; for one caller. */
  openEpochs(): Promise<() => number> {
    return openEpochs(this.folder, EPOCHS);
  }

  get #head(): string {
    return join(this.folder, 'head');
  }

  /** Drops what a finished run no longer needs. The spool's seal stays, to tell other standard input by. */
  async removeParts(): Promise<void> {
    await this.chunks.remove();
    for (const path of [this.spool, this.#head, join(this.folder, EPOCHS)]) await rm(path, { force: true });
  }

  /** Nothing would be lost with it: this process made it, no row was planned, no input is kept in it. */
  async isUnused(): Promise<boolean> {
    return !this.resumed && !(await isBegun(this.folder)) && (await bytesOf(this.spool)) === 0;
  }

  /** Instead of `close`, where it is unused: removes the directory, as far as it is this program's. */
  async discard(): Promise<void> {
    await this.removeParts();
    await this.plan.close();
    for (const path of [this.spoolSeal, join(this.folder, 'plan.jsonl'), join(this.folder, 'run.json')]) {
      await rm(path, { force: true });
    }
    await this.#lock.release();
    await rmdir(this.folder).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.plan.close();
    await this.#lock.release();
  }
}

function unusable(folder: string, cause: unknown): RunDirectoryError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RunDirectoryError(folder, `${folder} cannot be the run directory: ${why}. Name another folder.`);
}

/** The record to go on with: `stored` itself, with a newly accepted fingerprint, or anew where nothing was begun. */
function checkedRecord(
  folder: string,
  stored: RunRecord,
  settings: RunSettings,
  { acceptFingerprint = false }: OpenRunOptions,
  begun: boolean,
): RunRecord {
  if (stored.formatVersion !== runFormat) {
    throw new RunDirectoryError(
      folder,
      `The run directory ${folder} has format ${String(stored.formatVersion)}; this program reads format ${runFormat}. ` +
        'Finish it with the program that began it, or label again in another run directory.',
    );
  }
  const found = differences(stored, settings, acceptFingerprint);
  if (found.length > 0 && begun) throw new RunMismatchError(folder, found);
  if (found.length > 0) return newRecord(stored.id, settings);
  if (stored.fingerprints.includes(settings.fingerprint)) return stored;
  return { ...stored, fingerprints: [...stored.fingerprints, settings.fingerprint] };
}

/** Something was planned or committed, so the settings that it began with stand; before, others may take their place. */
async function isBegun(folder: string): Promise<boolean> {
  const names = [...(await namesIn(folder)), ...(await namesIn(join(folder, 'chunks')))];
  return (
    names.some((name) => name === '_SUCCESS' || name.endsWith('.ok')) ||
    (await bytesOf(join(folder, 'plan.jsonl'))) > 0
  );
}

function notesOn(record: RunRecord, settings: RunSettings): string[] {
  const notes: string[] = [];
  if (record.chunkRows !== settings.chunkRows) {
    notes.push(
      `The run was planned with chunks of ${record.chunkRows} rows and keeps them (asked for: ${settings.chunkRows}).`,
    );
  }
  if (record.fingerprints.length > 1) {
    notes.push(`The run mixes fingerprints: ${record.fingerprints.join(' and ')}.`);
  }
  return notes;
}

/** A finished run deletes files by name, so a folder with other things in it must never become a run directory. */
async function refuseForeign(folder: string): Promise<void> {
  const names = await namesIn(folder);
  if (names.includes('run.json')) return;
  const foreign = names.filter((name) => !isLockFile(name) && !name.endsWith(temporarySuffix));
  if (foreign.length === 0) return;
  throw new RunDirectoryError(
    folder,
    `${folder} is not a run directory: it has no run.json but holds ${foreign.slice(0, 3).join(', ')}. ` +
      'Name a folder that is empty or not there.',
  );
}

async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.endsWith(temporarySuffix)) await rm(join(folder, name), { force: true });
  }
}

/** Undefined where there is no such file. */
async function bytesIn(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** 0 where there is no such file. */
async function bytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** Empty where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
