import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessUsage } from '../process-usage.js';
import { projectFolder } from '../../project-folder.js';

/** What a command of `sluice` took, start and end included. */
export interface CommandUsage extends ProcessUsage {
  readonly wallSeconds: number;
}

/** A command of `sluice` did not end well; what it printed tells why. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
}

/** Runs the real `sluice` in a fresh process. @param folder for a file @throws CommandFailedError */
export async function runCommand(args: readonly string[], folder: string): Promise<CommandUsage> {
  const usagePath = join(folder, 'usage.json');
  const preload = new URL('../children/usage.preload.js', import.meta.url).href;
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', preload, join(projectFolder, 'apps/cli/bin/sluice.js'), ...args, '--quiet'],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, SLUICE_BENCH_USAGE: usagePath } },
  );
  const [code, signal]: unknown[] = await once(child, 'close');
  const wallSeconds = (performance.now() - begun) / 1000;
  if (code !== 0) throw new CommandFailedError(`sluice ${args[0]} ended with ${String(signal ?? code)}.`);
  const usage: ProcessUsage = JSON.parse(await readFile(usagePath, 'utf8'));
  await rm(usagePath);
  return { wallSeconds, ...usage };
}
