import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '#pipeline/run-directory/durable-write.js';
import { hasShape } from '#pipeline/run-directory/stored-shape.js';
import { ApiError } from './api-errors.js';
import type { RunPhase, RunState, RunTask } from '#run/run-view.js';
import { isUnderWay } from '#run/run-view.js';

/** A run as it was submitted: `request.json` in its folder. */
export interface SubmittedRun {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Who submitted it: the id of an API key, or `anyone`. */
  readonly owner: string;
  readonly request: RunTask;
  /** Of the model, when it was submitted: it goes on with it whatever is promoted meanwhile. */
  readonly version?: number | undefined;
  /** Paths of the corpus, in the order of its rows. */
  readonly corpus: readonly string[];
}

const isSubmittedRun = (value: unknown): value is SubmittedRun =>
  hasShape(value, {
    id: 'string',
    createdAt: 'string',
    owner: 'string',
    request: 'object',
    corpus: 'object',
  });
const isRunState = (value: unknown): value is RunState =>
  hasShape(value, { phase: 'string', since: 'string' });

const ID = /^[a-z0-9]{12}$/;
/** Of folders that are on their way out. */
const DELETED = '.deleted';
/** The word that a run is cancelled; it counts until the run is resumed, or over. */
const CANCELLED = 'cancelled.json';

/** The folders of all runs. Several producers may share them. */
export class RunFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the root, and removes what an earlier producer was about to delete. */
  async open(): Promise<void> {
    await makeFolder(this.#root);
    for (const name of await readdir(this.#root)) {
      if (name.endsWith(DELETED)) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  newId(): string {
    return Array.from(randomBytes(12), (byte) => (byte % 36).toString(36)).join('');
  }

  /** @throws ApiError for what is no id of a run */
  path(id: string, name = '.'): string {
    if (!ID.test(id)) throw new ApiError(404, 'no-such-run', 'There is no such run.');
    return join(this.#root, id, name);
  }

  /** Makes the folder of a run, and that of its uploads. */
  async create(id: string): Promise<string> {
    const uploads = this.path(id, 'input');
    await mkdir(uploads, { recursive: true });
    return uploads;
  }

  /** From here on the run is there. */
  async submit(run: SubmittedRun): Promise<void> {
    await writeDurably(this.path(run.id, 'request.json'), `${JSON.stringify(run, undefined, 2)}\n`);
    await this.setState(run.id, 'waiting');
  }

  async setState(id: string, phase: RunPhase, error?: string): Promise<void> {
    const state: RunState = { phase, since: new Date().toISOString(), error };
    // Whoever is about to begin with a run that is cancelled must not write over it.
    const path = this.path(id, phase === 'cancelled' ? CANCELLED : 'state.json');
    if (phase === 'waiting') await rm(this.path(id, CANCELLED), { force: true });
    // Several producers may write it at the same time.
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    await writeDurably(path, `${JSON.stringify(state)}\n`, undefined, temporary);
  }

  /** @throws ApiError where there is no such run */
  async submitted(id: string): Promise<SubmittedRun> {
    const run = await readStored(this.path(id, 'request.json'), isSubmittedRun);
    if (run === undefined) throw new ApiError(404, 'no-such-run', `There is no run ${id}.`);
    return run;
  }

  /** @throws ApiError where there is no such run */
  async state(id: string): Promise<RunState> {
    const state = await readStored(this.path(id, 'state.json'), isRunState);
    if (state === undefined) throw new ApiError(404, 'no-such-run', `There is no run ${id}.`);
    const cancelled = isUnderWay(state) ? await readStored(this.path(id, CANCELLED), isRunState) : undefined;
    return cancelled ?? state;
  }

  /** Ids of all runs. */
  async ids(): Promise<string[]> {
    return (await readdir(this.#root)).filter((name) => ID.test(name));
  }

  async delete(id: string): Promise<void> {
    const folder = this.path(id);
    const gone = join(this.#root, id + DELETED);
    // By rename, so that nobody sees a run of which half is gone.
    await rename(folder, gone);
    await rm(gone, { recursive: true, force: true });
  }
}

/** Undefined where there is no such file, or it is torn. */
export async function readStored<T>(
  path: string,
  is: (value: unknown) => value is T,
): Promise<T | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return is(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
