import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { withPath } from './durable-write.js';
import { isMissing } from './record-line.js';
import { hasShape } from './stored-shape.js';

const lockName = /^run-(\d+)-[0-9a-f]{8}\.lock$/;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as its system tells it; tells it from a later process of the same pid. */
  readonly started?: string | undefined;
}

/** Another process holds the run directory. */
export class RunLockedError extends Error {
  override readonly name = 'RunLockedError';

  constructor(
    readonly folder: string,
    readonly pid: number,
    readonly host: string,
    file: string,
  ) {
    const elsewhere = host !== hostname();
    super(
      `The run directory ${folder} is in use by process ${pid}${elsewhere ? ` on host ${host}` : ''}. ` +
        (elsewhere
          ? `Wait for it. If it no longer runs, the lock is void after a minute, or at once when ${file} is deleted.`
          : 'Wait for it or stop it, then run this again to resume.'),
    );
  }
}

/** Another host took the run directory over; this process must not write to it any more. */
export class RunLockLostError extends Error {
  override readonly name = 'RunLockLostError';

  constructor(readonly file: string) {
    super(
      `The run directory was taken over by another host: this process showed no life for ${DEAD_AFTER_MS / 1000} s (${file} is gone).`,
    );
  }
}

/** How often an owner shows that it lives, and how long it may not until another host takes it for dead, ms. */
const SHOWN_EVERY_MS = 10_000;
const DEAD_AFTER_MS = 60_000;

/**
 * One process per run directory. Each puts down a lock file of its own name and only then looks for others: of two
 * that come at once, each sees the other, so both may be refused but never both admitted. Names are never used
 * twice, so removing a dead owner's file cannot hit a living one's. An owner touches its file every few seconds, since
 * another host cannot see whether its process lives.
 */
export class RunLock {
  readonly #file: string;
  #showing: NodeJS.Timeout | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param onLost hears that another host took the folder, as it does when this process stood still for a minute
   * @throws RunLockedError while another process lives, or may live on another host
   */
  static async acquire(folder: string, onLost?: (error: Error) => void): Promise<RunLock> {
    const name = `run-${process.pid}-${randomBytes(4).toString('hex')}.lock`;
    const lock = new RunLock(join(folder, name));
    const self: Owner = { pid: process.pid, host: hostname(), started: await processStart(process.pid) };
    try {
      await writeFile(lock.#file, JSON.stringify(self), { flag: 'wx' });
      for (const other of await readdir(folder)) {
        if (isLockFile(other) && other !== name) await expectDead(folder, other, lock.#file);
      }
      lock.#show(onLost);
    } catch (error) {
      await lock.release();
      throw withPath(error, lock.#file);
    }
    return lock;
  }

  #show(onLost?: (error: Error) => void): void {
    this.#showing = setInterval(() => {
      const now = new Date();
      utimes(this.#file, now, now).catch((error: unknown) => {
        if (!isMissing(error)) return;
        clearInterval(this.#showing);
        onLost?.(new RunLockLostError(this.#file));
      });
    }, SHOWN_EVERY_MS).unref();
  }

  async release(): Promise<void> {
    clearInterval(this.#showing);
    await rm(this.#file, { force: true });
  }
}

export function isLockFile(name: string): boolean {
  return lockName.test(name);
}

/** @param own file that was just written: its time is now, by the clock of the file system */
async function expectDead(folder: string, name: string, own: string): Promise<void> {
  const file = join(folder, name);
  const owner = await ownerOf(file, Number(lockName.exec(name)?.[1]));
  const isAlive = owner.host === hostname() ? await mayLive(owner) : await wasShownLately(file, own);
  if (isAlive) throw new RunLockedError(folder, owner.pid, owner.host, file);
  await rm(file, { force: true });
}

/** A file that is still empty, or was when the power went, tells its pid by its name. */
async function ownerOf(file: string, pid: number): Promise<Owner> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isOwner(owner)) return owner;
  } catch {
    // Empty or torn.
  }
  return { pid, host: hostname() };
}

function isOwner(value: unknown): value is Owner {
  return hasShape(value, { pid: 'number', host: 'string' });
}

async function wasShownLately(file: string, own: string): Promise<boolean> {
  try {
    return (await stat(own)).mtimeMs - (await stat(file)).mtimeMs < DEAD_AFTER_MS;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Of an owner on this host. */
async function mayLive(owner: Owner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const started = await processStart(owner.pid);
  if (started === 'dead') return false;
  return owner.started === undefined || started === undefined || owner.started === started;
}

/**
 * When a process began, in the words of its system; `dead` where it has ended and only waits for its parent to see it,
 * as a killed one does for ever in a container without init. Undefined where the system does not tell.
 */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    if (process.platform !== 'linux') {
      return (await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim();
    }
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Counted behind the command, which may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Field 3, the state: zombie or dead. Field 22, in ticks since boot.
    if (/^[ZX]$/i.test(fields[0] ?? '')) return 'dead';
    return `${boot.trim()}/${String(fields[19])}`;
  } catch {
    return undefined;
  }
}
