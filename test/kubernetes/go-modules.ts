/** Tools and published files that come as Go modules: fetched and built once, and kept outside the tree. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** What is built and fetched stays here between runs. */
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice-tests');

const NEEDED = 'Go 1.26 or later is needed, to build it from its module: install it, with go on the PATH.';

/** What a test needs and cannot get. */
export class ToolMissingError extends Error {
  override readonly name = 'ToolMissingError';
}

const run = promisify(execFile);
const failureSchema = z.object({ code: z.union([z.string(), z.number(), z.null()]), stderr: z.string() });

/**
 * Runs go, in a folder. It may take minutes, so the event loop stays free.
 * @returns what it prints
 * @throws ToolMissingError
 */
export async function runGo(
  what: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { cwd = cacheFolder, env = {} } = options;
  try {
    const { stdout } = await run('go', [...args], {
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: 1 << 28,
    });
    return stdout;
  } catch (error) {
    const { code, stderr } = failureSchema.parse(error);
    if (code === 'ENOENT') throw new ToolMissingError(`${what} is not here. ${NEEDED}`);
    throw new ToolMissingError(`${what} is not here, and go ${args.join(' ')} failed:\n${stderr}`);
  }
}

/**
 * A program of a Go module.
 * @param program such as `sigs.k8s.io/kustomize/kustomize/v5@v5.8.1`
 * @returns its path
 */
export async function goProgram(name: string, program: string): Promise<string> {
  const version = program.split('@').at(-1);
  const path = join(cacheFolder, `${name}-${version}`);
  if (existsSync(path)) return path;
  await mkdir(cacheFolder, { recursive: true });
  console.error(`Building ${program}; once.`);
  const folder = await mkdtemp(join(cacheFolder, 'build-'));
  try {
    await runGo(name, ['install', program], { env: { GOBIN: folder } });
    await rename(join(folder, name), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

const downloadedSchema = z.object({ Dir: z.string() });

/** The folder of a module's files, such as `github.com/kedacore/keda/v2@v2.21.0`. */
export async function goModule(module: string): Promise<string> {
  await mkdir(cacheFolder, { recursive: true });
  const told = await runGo(module, ['mod', 'download', '-json', module]);
  return downloadedSchema.parse(JSON.parse(told)).Dir;
}
