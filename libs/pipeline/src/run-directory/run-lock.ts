import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { withPath } from './durable-write.js';
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
          ? `Wait for it; if it no longer runs, delete ${file}.`
          : 'Wait for it or stop it, then run this again to resume.'),
    );
  }
}

/**
 * One process per run directory. Each puts down a lock file of its own name and only then looks for others: of two
 * that come at once, each sees the other, so both may be refused but never both admitted. Names are never used
 * twice, so removing a dead owner's file cannot hit a living one's.
 */
export class RunLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws RunLockedError while another process lives, or may live on another host */
  static async acquire(folder: string): Promise<RunLock> {
    const name = `run-${process.pid}-${randomBytes(4).toString('hex')}.lock`;
    const lock = new RunLock(join(folder, name));
    const self: Owner = { pid: process.pid, host: hostname(), started: await processStart(process.pid) };
    try {
      await writeFile(lock.#file, JSON.stringify(self), { flag: 'wx' });
      for (const other of await readdir(folder)) {
        if (isLockFile(other) && other !== name) await expectDead(folder, other);
      }
    } catch (error) {
      await lock.release();
      throw withPath(error, lock.#file);
    }
    return lock;
  }

  async release(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

export function isLockFile(name: string): boolean {
  return lockName.test(name);
}

async function expectDead(folder: string, name: string): Promise<void> {
  const file = join(folder, name);
  const owner = await ownerOf(file, Number(lockName.exec(name)?.[1]));
  if (await mayLive(owner)) throw new RunLockedError(folder, owner.pid, owner.host, file);
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

async function mayLive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
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
