/** Starts an image by runc as Kubernetes and the compose file do: its own user, no capabilities, a root that is read-only. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from './image-store.js';

export interface ContainerOptions {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine by where they are mounted; `:ro` behind one makes it read-only. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Instead of the image's own command. */
  readonly command?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export class Container {
  readonly ended: Promise<Ended>;
  readonly #id: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(id: string, folder: string) {
    this.#id = id;
    this.#folder = folder;
    this.#child = spawn('runc', ['--root', join(folder, 'state'), 'run', '--bundle', folder, id], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (block: string) => (this.#output += block));
    }
    this.ended = once(this.#child, 'close').then(([code]) => ({ code, output: this.#output }));
  }

  static async start(image: Image, options: ContainerOptions): Promise<Container> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-container-'));
    await writeFile(join(folder, 'config.json'), JSON.stringify(runtimeConfig(image, options)));
    return new Container(`sluice-${options.name}-${process.pid}`, folder);
  }

  get output(): string {
    return this.#output;
  }

  /** Runs another command in it, by the same user. */
  exec(command: readonly string[]): Ended {
    const args = ['--root', join(this.#folder, 'state'), 'exec', this.#id, ...command];
    const { status, stdout, stderr } = spawnSync('runc', args, { encoding: 'utf8' });
    return { code: status, output: stdout + stderr };
  }

  /** Waits until something holds of what it is asked for. @throws Error where it ends before, or time is up */
  async until(holds: () => boolean | Promise<boolean>, what: string, seconds = 120): Promise<void> {
    const late = performance.now() + seconds * 1000;
    let gone: Ended | undefined;
    void this.ended.then((ended) => (gone = ended));
    while (!(await holds())) {
      if (gone !== undefined) throw new Error(`It ended (${gone.code}) before it ${what}: ${gone.output}`);
      if (performance.now() > late)
        throw new Error(`It has not ${what} within ${seconds} s: ${this.#output}`);
      await sleep(200);
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<Ended> {
    spawnSync('runc', ['--root', join(this.#folder, 'state'), 'kill', this.#id, signal]);
    const ended = await this.ended;
    await rm(this.#folder, { recursive: true, force: true });
    return ended;
  }
}

function fileSystem(type: string, destination: string, ...options: readonly string[]): object {
  return { destination, type, source: type, options: ['nosuid', 'nodev', 'noexec', ...options] };
}

/** By the OCI runtime specification. The network is this machine's, so that all services share its loopback. */
function runtimeConfig(
  { config, root }: Image,
  { env = {}, volumes = {}, command }: ContainerOptions,
): object {
  const [uid = 0, gid = 0] = config.User.split(':').map(Number);
  const none: string[] = [];
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid },
      args: command ?? config.Cmd,
      cwd: config.WorkingDir,
      env: [...config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      fileSystem('tmpfs', '/dev/shm', 'mode=1777'),
      fileSystem('tmpfs', '/tmp', 'mode=1777'),
      ...Object.entries(volumes).map(([destination, source]) => ({
        destination: destination.replace(/:ro$/, ''),
        type: 'bind',
        source,
        options: ['bind', destination.endsWith(':ro') ? 'ro' : 'rw', 'nosuid', 'nodev'],
      })),
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/sysrq-trigger'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys'],
    },
  };
}
