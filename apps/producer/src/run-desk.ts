import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Settings } from '#config/settings-schema.js';
import { isRunReport } from '#pipeline/report/run-report.js';
import { syncFolder } from '#pipeline/run-directory/durable-write.js';
import { readJson } from '#pipeline/run-directory/read-json.js';
import { policyOf } from '#run/choose-policy.js';
import { checkGolds, checkTask } from '#run/check-task.js';
import { UsageError } from '#run/usage-error.js';
import { isRunSuccess } from '#pipeline/run-directory/run-directory.js';
import { hasShape } from '#pipeline/run-directory/stored-shape.js';
import { ApiError } from './api-errors.js';
import type { Caller } from './api-keys.js';
import { allows } from './api-keys.js';
import type { FleetLink } from './fleet-link.js';
import { inputPath, inputRoots } from './input-path.js';
import { readLeastCertain } from './least-certain-rows.js';
import type { ModelShelf } from './model-shelf.js';
import type { RunFeeder } from './run-feeder.js';
import type { RunFolders, SubmittedRun } from './run-folder.js';
import { readStored } from './run-folder.js';
import { LEAST_CERTAIN, outputName } from './run-options.js';
import type { StoredProgress } from './run-progress-teller.js';
import { runCounts } from '#run/run-counts.js';
import type { Upload } from './store-uploads.js';
import { storeUploads } from './store-uploads.js';
import { toldPaths } from './told-paths.js';
import type { RunRequest } from '#run/run-request.js';
import type { RunOutput, RunPhase, RunView } from '#run/run-view.js';
import { etaSeconds, isUnderWay } from '#run/run-view.js';
import type { UncertainRow } from '#run/uncertain-row.js';

const RETRY_AFTER_S = 60;
/** Names of a corpus's files that are told. */
const FILES_TOLD = 20;
const DAY_MS = 24 * 60 * 60 * 1000;
const isProgress = (value: unknown): value is StoredProgress =>
  hasShape(value, { phase: 'string', rows: 'number', exits: 'object' });

/** What people do with runs: submit, look at, cancel, resume and delete them. */
export class RunDesk {
  readonly #folders: RunFolders;
  readonly #models: ModelShelf;
  readonly #feeder: RunFeeder;
  readonly #fleet: FleetLink;
  readonly #settings: Settings['producer'];

  constructor(parts: {
    folders: RunFolders;
    models: ModelShelf;
    feeder: RunFeeder;
    fleet: FleetLink;
    settings: Settings['producer'];
  }) {
    this.#folders = parts.folders;
    this.#models = parts.models;
    this.#feeder = parts.feeder;
    this.#fleet = parts.fleet;
    this.#settings = parts.settings;
  }

  /**
   * @param uploads the corpus, where it is neither named nor given
   * @throws ApiError, PolicyError, UsageError, InputPathError: nothing is left of the run then
   */
  async submit(request: RunRequest, uploads: AsyncIterable<Upload>, caller: Caller): Promise<RunView> {
    const { rows, path, ...rest } = request;
    const version = await this.#check(rest);
    const id = this.#folders.newId();
    const folder = await this.#folders.create(id);
    try {
      const uploaded = await storeUploads(uploads, folder, this.#settings.limits.uploadBytes);
      const sources = [rows, path, uploaded.length > 0 ? uploaded : undefined].filter(
        (each) => each !== undefined,
      );
      if (sources.length !== 1) {
        throw new UsageError('Expected the corpus once: rows, or path, or files of a multipart request.');
      }
      const given = rows === undefined ? [] : [await this.#storeRows(rows, folder)];
      const named = await this.#named(path);
      const corpus = [...given, ...named, ...uploaded.map((upload) => upload.path)];
      // The run is there only when its corpus is, even after a loss of power.
      await syncFolder(folder);
      await syncFolder(this.#folders.path(id));
      await this.#folders.submit({
        id,
        createdAt: new Date().toISOString(),
        owner: caller.id,
        request: rest,
        version,
        corpus,
      });
    } catch (error) {
      await this.#folders.delete(id);
      throw error;
    }
    await this.#feeder.look();
    return this.view(id);
  }

  /** The latest first, and no more than `limit`; and how many there are. */
  async list(limit: number): Promise<{ readonly runs: RunView[]; readonly total: number }> {
    const submitted = await Promise.all(
      (await this.#folders.ids()).map((id) => this.#folders.submitted(id).catch(() => undefined)),
    );
    const known = submitted
      .filter((run) => run !== undefined)
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id));
    const views = await Promise.all(
      known.slice(0, limit).map(({ id }) => this.view(id).catch(() => undefined)),
    );
    return { runs: views.filter((view) => view !== undefined), total: known.length };
  }

  /** @throws ApiError where there is no such run */
  async view(id: string): Promise<RunView> {
    const run = await this.#folders.submitted(id);
    const { request, version, corpus, createdAt, owner } = run;
    const state = await this.#folders.state(id);
    const fed = this.#feeder.fed(id);
    const { progress, counts } =
      fed?.progress === undefined
        ? await this.#storedProgress(id)
        : { progress: fed.progress, counts: fed.counts?.() };
    const report =
      state.phase === 'finished'
        ? await readJson(this.#folders.path(id, 'run'), 'report.json', isRunReport)
        : undefined;
    const roots = await this.#roots(id);
    return {
      id,
      ...state,
      error: state.error === undefined ? undefined : toldPaths(state.error, roots),
      createdAt,
      owner,
      request,
      version,
      files: corpus.slice(0, FILES_TOLD).map((path) => path.split('/').at(-1) ?? path),
      fileCount: corpus.length,
      progress,
      etaSeconds: state.phase === 'running' && progress ? etaSeconds(progress) : undefined,
      waitsFor: fed === undefined && state.phase === 'waiting' ? this.#feeder.whyItWaits(run) : fed?.waitsFor,
      notes: fed?.notes.map((note) => toldPaths(note, roots)),
      counts: report === undefined ? counts : runCounts(report),
      report,
      output: state.phase === 'finished' ? await this.#outputOf(id, request) : undefined,
    };
  }

  /** Folders of the producer that errors and notes of a run may name. */
  async #roots(id: string): Promise<string[]> {
    const own = [this.#folders.path(id), this.#folders.path(id, 'input')];
    return [...own, this.#models.registry.root, ...(await inputRoots(this.#settings.inputRoot))];
  }

  /** As the producer that feeds the run, or fed it last, has written it down. */
  async #storedProgress(id: string): Promise<Partial<Pick<RunView, 'progress' | 'counts'>>> {
    const stored = await readStored(this.#folders.path(id, 'progress.json'), isProgress);
    if (stored === undefined) return {};
    const { counts, ...progress } = stored;
    return { progress, counts };
  }

  /** The rows that the model was least certain of, so far or in all. @throws ApiError where there is no such run */
  async leastCertain(id: string): Promise<readonly UncertainRow[]> {
    await this.#folders.submitted(id);
    const fed = this.#feeder.fed(id)?.leastCertain;
    return fed?.rows ?? readLeastCertain(this.#folders.path(id, LEAST_CERTAIN));
  }

  async #outputOf(id: string, request: SubmittedRun['request']): Promise<RunOutput | undefined> {
    const success = await readJson(this.#folders.path(id, 'run'), '_SUCCESS', isRunSuccess);
    const format = outputName(request).replace('output.', '');
    return success && { path: `/v1/runs/${id}/output`, format, bytes: success.bytes, sha256: success.sha256 };
  }

  /** The output of a finished run. @throws ApiError while there is none */
  async output(id: string): Promise<{ readonly folder: string; readonly name: string }> {
    const { request } = await this.#folders.submitted(id);
    await this.#expectPhase(id, ['finished'], 'has no output yet');
    return { folder: this.#folders.path(id), name: outputName(request) };
  }

  /** Rows that could not be labelled, as JSON lines. @throws ApiError while the run is not finished */
  async rejects(id: string): Promise<{ readonly folder: string; readonly name: string }> {
    await this.#expectPhase(id, ['finished'], 'is not finished, so its rejected rows are not all known');
    return { folder: this.#folders.path(id, 'run'), name: 'rejects.jsonl' };
  }

  async cancel(id: string, caller: Caller): Promise<RunView> {
    await this.#expectMay(id, caller);
    await this.#expectPhase(id, ['waiting', 'running'], 'is over already');
    await this.#folders.setState(id, 'cancelled');
    await this.#feeder.stopRun(id);
    await this.#feeder.forget(id);
    return this.view(id);
  }

  /** Goes on where it was. */
  async resume(id: string, caller: Caller): Promise<RunView> {
    await this.#expectMay(id, caller);
    await this.#expectPhase(id, ['failed', 'cancelled'], 'needs no resuming');
    await this.#folders.setState(id, 'waiting');
    await this.#feeder.look();
    return this.view(id);
  }

  async delete(id: string, caller: Caller): Promise<void> {
    await this.#expectMay(id, caller);
    await this.#expectPhase(id, ['finished', 'failed', 'cancelled'], 'is worked on: cancel it first');
    await this.#feeder.stopRun(id);
    await this.#folders.delete(id);
  }

  /** Deletes runs that ended longer ago than they are kept. */
  async sweep(): Promise<void> {
    const errors: unknown[] = [];
    for (const id of await this.#folders.ids()) {
      // One folder that cannot be deleted keeps no other.
      if (await this.#isOutdated(id)) await this.#folders.delete(id).catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
  }

  async #isOutdated(id: string): Promise<boolean> {
    const oldest = Date.now() - this.#settings.retentionDays * DAY_MS;
    const state = await this.#folders.state(id).catch(() => undefined);
    if (state !== undefined) return !isUnderWay(state) && Date.parse(state.since) < oldest;
    // An upload that was broken off, by a producer that is no more.
    const folder = await stat(this.#folders.path(id)).catch(() => undefined);
    return folder !== undefined && folder.mtimeMs < Date.now() - DAY_MS;
  }

  /** @returns the version of the model */
  async #check(request: SubmittedRun['request']): Promise<number> {
    const version = await this.#models.version(request.model);
    const { manifest } = await this.#models.bundleOf(version);
    policyOf(manifest, request);
    checkTask(manifest, request.pairField);
    checkGolds(manifest, request.labelField);
    if (request.spreadsheetSafe === true && request.outFormat !== 'csv') {
      throw new UsageError('spreadsheetSafe is for outFormat csv.');
    }
    if (request.compress === true && request.outFormat === 'parquet') {
      throw new UsageError('Parquet is compressed inside: leave out compress.');
    }
    const kept = (await this.#folders.ids()).length;
    const { runsKept } = this.#settings.limits;
    if (kept >= runsKept) {
      const message = `${kept} runs are kept, and no more than ${runsKept} may be: delete some.`;
      throw new ApiError(429, 'too-many-runs', message, RETRY_AFTER_S);
    }
    this.#fleet.pressure.expectRoom();
    return version.version;
  }

  async #storeRows(rows: NonNullable<RunRequest['rows']>, folder: string): Promise<string> {
    const path = join(folder, 'rows.jsonl');
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
    await pipeline(lines, createWriteStream(path, { flags: 'wx', flush: true }));
    return path;
  }

  async #named(path: RunRequest['path']): Promise<string[]> {
    if (path === undefined) return [];
    const files: string[] = [];
    for (const each of Array.isArray(path) ? path : [path])
      files.push(await inputPath(this.#settings.inputRoot, each));
    return files;
  }

  async #expectPhase(id: string, phases: readonly RunPhase[], problem: string): Promise<void> {
    const { phase } = await this.#folders.state(id);
    if (phases.includes(phase)) return;
    throw new ApiError(409, 'wrong-phase', `Run ${id} is ${phase}: it ${problem}.`);
  }

  async #expectMay(id: string, caller: Caller): Promise<void> {
    const { owner } = await this.#folders.submitted(id);
    if (owner === caller.id || allows(caller.scope, 'admin')) return;
    throw new ApiError(403, 'not-yours', `Run ${id} is ${owner}'s; that needs a key of scope admin.`);
  }
}
