/** A disk of a few hundred kilobytes, or one that cannot be written to, in a mount namespace of its own. */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const holders = new Map<string, ChildProcess>();
const namespaces = ['--user', '--map-root-user', '--mount'];

/**
 * Whether this system lets its users have mounts of their own, which is Linux's alone.
 *
 * @throws Error in CI, where a skipped test would go unseen
 */
export const canMount = ((): boolean => {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('unshare', [...namespaces, 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch (cause) {
    if (process.env['CI'] !== 'true') return false;
    throw new Error(
      'Expected a system that lets its users mount disks of their own; `unshare --user --map-root-user --mount` fails. ' +
        'Install util-linux, and allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).',
      { cause },
    );
  }
})();

/** Mounts an empty disk on `<folder>/disk`, seen only by what starts under `onDisk`. @param options of the mount */
export async function mountDisk(folder: string, options: string): Promise<void> {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  const script = 'mount -t tmpfs -o "$1" none "$2" && echo mounted && read line';
  const holder = spawn('unshare', [...namespaces, 'sh', '-c', script, 'sh', options, disk], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  holders.set(folder, holder);
}

/** What starts a command where the disk is seen. */
export function onDisk(folder: string): string[] {
  const enter = ['nsenter', '--preserve-credentials', '--user', '--mount', `--target=${pidOf(folder)}`];
  // The folder must be looked up once more: as it was given, the disk is not there.
  return [...enter, 'sh', '-c', 'cd "$0" && exec "$@"', folder];
}

/** The folder with its disk, as others see it. */
export function fromOutside(folder: string): string {
  return join(`/proc/${pidOf(folder)}/root`, folder);
}

export async function unmountDisk(folder: string): Promise<void> {
  const holder = holders.get(folder);
  if (holder === undefined) return;
  holder.stdin?.end();
  await once(holder, 'close');
  holders.delete(folder);
}

function pidOf(folder: string): number {
  return holders.get(folder)!.pid!;
}
