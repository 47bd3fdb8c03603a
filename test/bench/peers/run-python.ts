import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A Python program did not end well; what it printed tells why. */
export class PythonFailedError extends Error {
  override readonly name = 'PythonFailedError';

  constructor(
    readonly program: string,
    readonly end: string,
  ) {
    super(`${program} ended with ${end}.`);
  }
}

/**
 * Runs Python; what it prints goes to standard error, because standard output belongs to the results.
 * @returns from the start of the process to its end, seconds
 * @throws PythonFailedError
 */
export async function runPython(
  python: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  const begun = performance.now();
  const child = spawn(python, args, { stdio: ['ignore', 2, 2], env: { ...process.env, ...quiet, ...env } });
  const [code, signal]: unknown[] = await once(child, 'close');
  if (code !== 0) throw new PythonFailedError(`${python} ${args.join(' ')}`, String(signal ?? code));
  return (performance.now() - begun) / 1000;
}

/** Nothing is fetched while a model is loaded, and nothing is left beside the sources. */
const quiet = { HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' };

/** For programs that compute: every library that brings threads of its own takes so many. */
export function threadSettings(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  return {
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    RAYON_NUM_THREADS: count,
    TOKENIZERS_PARALLELISM: 'true',
  };
}
