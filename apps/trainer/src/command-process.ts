import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Lines of standard error that may tell why a command failed. */
const LAST_LINES = 5;

/** A command of `sluice` failed, and said why. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
}

/** A command of `sluice` was killed. */
export class CommandKilledError extends Error {
  override readonly name = 'CommandKilledError';

  constructor(
    readonly command: string,
    readonly signal: string,
  ) {
    super(`sluice ${command} was ended by ${signal}, as happens where there is too little memory.`);
  }
}

/**
 * Runs a command of `sluice` as a process of its own, as a user would.
 * @param onLine hears each line of its standard error
 * @throws CommandFailedError, CommandKilledError; the signal's reason
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  signal.throwIfAborted();
  const script = fileURLToPath(
    import.meta.resolve('#package.json').replace('package.json', 'apps/cli/bin/sluice.js'),
  );
  const child = spawn(process.execPath, [script, command, ...args], {
    // By the channel it sees that this process is no more, and ends.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lines.push(line);
    if (lines.length > LAST_LINES) lines.shift();
    onLine(line);
  });
  try {
    const [code, ended] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...how) => resolve(how));
    });
    signal.throwIfAborted();
    if (ended !== null) throw new CommandKilledError(command, ended);
    if (code !== 0)
      throw new CommandFailedError(lines.join('\n') || `sluice ${command} failed with code ${code}.`);
  } finally {
    signal.removeEventListener('abort', kill);
    process.off('exit', kill);
  }
}
