/** The real `sluice`, as users start it: a process of its own, away from the tests' environment and terminal. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectFolder } from './project-folder.js';

/** What `npx sluice` starts. */
export const cli = join(projectFolder, 'apps/cli/bin/sluice.js');

/** The bundle that the repository carries. */
export const spamBundle = join(projectFolder, 'models/spam');

export interface CliOptions {
  readonly cwd?: string;
  /** Added to an environment that holds nothing but the search path. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; empty unless given. */
  readonly input?: string | Uint8Array;
  /** Standard input does not end. */
  readonly inputStaysOpen?: boolean;
  /** A command and its arguments, which starts the rest of its arguments. */
  readonly under?: readonly string[];
}

/** How a process ended and what it printed. */
export interface CliEnd {
  /** Exit code, or the signal that ended it. */
  readonly end: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `sluice` that runs. */
export class CliProcess {
  readonly ended: Promise<CliEnd>;
  readonly #child: ChildProcess;
  #stderr = '';

  constructor(
    args: readonly string[],
    { cwd, env, input = '', inputStaysOpen = false, under = [] }: CliOptions = {},
  ) {
    const [command = process.execPath, ...rest] = [...under, process.execPath, cli, ...args];
    const child = spawn(command, rest, {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'pipe',
    });
    this.#child = child;
    // A process that ends before it has read everything is the test's business, not this pipe's.
    child.stdin.on('error', () => undefined);
    child.stdin.write(input);
    if (!inputStaysOpen) child.stdin.end();
    child.stderr.setEncoding('utf8').on('data', (block: string) => (this.#stderr += block));
    this.ended = this.#end(text(child.stdout));
  }

  async #end(stdout: Promise<string>): Promise<CliEnd> {
    await once(this.#child, 'close');
    const { signalCode, exitCode } = this.#child;
    return { end: signalCode ?? exitCode ?? NaN, stdout: await stdout, stderr: this.#stderr };
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  /** False once the process has ended. */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  /** Waits until standard error holds something. @returns it @throws Error where the process ends before */
  async saying(what: RegExp): Promise<RegExpExecArray> {
    await this.said(what);
    const found = what.exec(this.#stderr);
    if (found === null) throw new Error(`It ended without a word of ${what.source}: ${this.#stderr}`);
    return found;
  }

  /** Waits until standard error holds something, or the process has ended. @returns whether it does */
  async said(what: RegExp): Promise<boolean> {
    while (!what.test(this.#stderr) && this.#child.exitCode === null && this.#child.signalCode === null) {
      await Promise.race([once(this.#child.stderr!, 'data'), this.ended]);
    }
    return what.test(this.#stderr);
  }
}

/** Runs `sluice` to its end. */
export function runCli(args: readonly string[], options?: CliOptions): Promise<CliEnd> {
  return new CliProcess(args, options).ended;
}
