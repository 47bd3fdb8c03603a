/** Builds images with buildah, into a folder of their own: without a daemon, and without a registry. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { projectFolder } from '../project-folder.js';
import { containerfilePath, readContainerfile } from './containerfile.js';

/** What Debian calls the packages of the commands. */
const tools = {
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  runc: 'runc',
  'redis-server': 'redis-server',
} as const;
const DEBIAN = 'bookworm';

/** @throws Error that says what to install, or who may do this */
export function expectTools(): void {
  const missing = Object.entries(tools).flatMap(([command, debian]) =>
    spawnSync(command, ['--version']).error === undefined ? [] : [debian],
  );
  if (missing.length > 0)
    throw new Error(
      `Images are built and started here with ${missing.join(', ')}, which is not installed ` +
        `(Debian: apt-get install --no-install-recommends ${Object.values(tools).join(' ')}).`,
    );
  if (process.getuid?.() !== 0)
    throw new Error('Images are built and started here by root: sudo -E npm run test:images.');
}

const configSchema = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Cmd: z.array(z.string()),
  WorkingDir: z.string(),
  Labels: z.record(z.string(), z.string()),
  Healthcheck: z.object({ Test: z.array(z.string()) }),
});

/** An image whose files can be looked at. */
export interface Image {
  readonly name: string;
  readonly config: z.infer<typeof configSchema>;
  /** Where its files are mounted. */
  readonly root: string;
  /** Of all its files, bytes. */
  readonly bytes: number;
  /** That building it took; next to nothing where nothing has changed. */
  readonly seconds: number;
}

export class ImageStore {
  readonly #folder: string;
  readonly #options: readonly string[];
  readonly #containers: string[] = [];

  private constructor(folder: string, options: readonly string[]) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Layers are kept for the next time. */
  static async open(): Promise<ImageStore> {
    const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
    const folder = join(cache, 'sluice/images');
    await mkdir(join(folder, 'tmp'), { recursive: true });
    const at = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')];
    // vfs copies all files for each layer, and works everywhere.
    const driver = ['overlay', 'vfs'].find(
      (name) => spawnSync('buildah', [...at, '--storage-driver', name, 'info']).status === 0,
    );
    if (driver === undefined) throw new Error(`buildah does not work with ${folder}: try buildah info.`);
    return new ImageStore(folder, [...at, '--storage-driver', driver]);
  }

  /** Where what buildah says is kept. */
  get logPath(): string {
    return join(this.#folder, 'build.log');
  }

  /** The base of the images, as the Node image of its registry is: Debian and Node. @returns its name */
  async base(): Promise<string> {
    const name = `localhost/sluice-node:${process.versions.node}`;
    if (spawnSync('buildah', [...this.#options, 'inspect', name]).status === 0) return name;
    const root = await mkdtemp(join(this.#folder, 'tmp/base-'));
    try {
      await this.#run('debootstrap', ['--variant=minbase', '--include=ca-certificates', DEBIAN, root]);
      await addNode(root);
      const trust = await trustAsHere(root);
      const container = (await this.#buildah('from', 'scratch')).trim();
      await this.#buildah('add', container, root, '/');
      await this.#buildah('config', '--env', `PATH=${searchPath}`, ...trust, container);
      await this.#buildah('commit', '--rm', container, name);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
    return name;
  }

  /** Node's version that the Containerfile asks for. */
  static pinnedNode(): string {
    return /^node:([\d.]+)-/.exec(readContainerfile().defaults.get('NODE_IMAGE') ?? '')?.[1] ?? 'unknown';
  }

  /** Builds a target of the Containerfile. */
  async build(target: string, base: string): Promise<Image> {
    const begun = performance.now();
    const name = `localhost/sluice-${target}:test`;
    // Docker's format has health checks.
    const how = [
      '--format',
      'docker',
      '--isolation',
      'chroot',
      '--layers',
      '--build-arg',
      `NODE_IMAGE=${base}`,
    ];
    const what = ['--file', containerfilePath, '--target', target, '--tag', name, projectFolder];
    await this.#buildah('build', ...how, ...what);
    const seconds = (performance.now() - begun) / 1000;
    const inspected: unknown = JSON.parse(await this.#buildah('inspect', '--type', 'image', name));
    const { config } = z.object({ Docker: z.object({ config: configSchema }) }).parse(inspected).Docker;
    const container = (await this.#buildah('from', name)).trim();
    this.#containers.push(container);
    const root = (await this.#buildah('mount', container)).trim();
    const used = spawnSync('du', ['--bytes', '--summarize', root], { encoding: 'utf8' });
    return { name, config, root, bytes: Number.parseInt(used.stdout), seconds };
  }

  /** Images stay; what was mounted goes. */
  async close(): Promise<void> {
    for (const container of this.#containers) await this.#buildah('rm', container);
    await rm(join(this.#folder, 'tmp'), { recursive: true, force: true });
  }

  #buildah(...args: readonly string[]): Promise<string> {
    return this.#run('buildah', [...this.#options, ...args]);
  }

  /** @returns its standard output @throws Error with the end of what it said */
  async #run(command: string, args: readonly string[]): Promise<string> {
    const log = createWriteStream(this.logPath, { flags: 'a' });
    const env = { ...process.env, TMPDIR: join(this.#folder, 'tmp') };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let output = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (block: string) => (output += block));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (block: Buffer | string) => {
        log.write(block);
        said = (said + block.toString()).slice(-4000);
      });
    }
    const [code]: unknown[] = await once(child, 'close');
    log.end();
    if (code !== 0)
      throw new Error(`${command} failed (${String(code)}); ${this.logPath} has all that it said:\n${said}`);
    return output;
  }
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** This machine's Node with npm and headers, where Node's own image has them. */
async function addNode(root: string): Promise<void> {
  const prefix = dirname(dirname(process.execPath));
  const to = join(root, 'usr/local');
  await cp(process.execPath, join(to, 'bin/node'));
  await cp(join(prefix, 'include/node'), join(to, 'include/node'), { recursive: true });
  await cp(join(prefix, 'lib/node_modules/npm'), join(to, 'lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(to, 'bin', name));
  }
}

/** Certificates that this machine trusts beside the usual ones. @returns options of buildah config */
async function trustAsHere(root: string): Promise<string[]> {
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  if (extra === undefined) return [];
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  await writeFile(join(root, bundle), await readFile(extra));
  return ['--env', `NODE_EXTRA_CA_CERTS=${bundle}`];
}
