import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { endWithThisProcess } from './end-with-this-process.js';

export interface ServiceOptions {
  /** Under which its lines are shown. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Hears each line that it writes, made readable. */
  readonly onLine: (name: string, line: string) => void;
  /** Hears that it ended unasked. */
  readonly onEnd: (name: string, how: string) => void;
}

/** A service as a process of its own, which ends before this one does. */
export class ServiceProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isStopping = false;
  #lastLine = '';

  constructor({ name, command, args, env, onLine, onEnd }: ServiceOptions) {
    this.name = name;
    // A process group of its own: Ctrl-C of the terminal reaches this process, which stops the services in order.
    this.#child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    endWithThisProcess(this.#child);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        if (!this.#isStopping) onEnd(name, error.message);
        resolve(undefined);
      });
      this.#child.once('exit', (code, signal) => {
        if (!this.#isStopping) onEnd(name, signal ?? `exit code ${code}`);
        resolve(undefined);
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      readLines(stream, (line) => {
        this.#lastLine = line;
        onLine(name, line);
      });
    }
  }

  /** What it wrote last. */
  get lastLine(): string {
    return this.#lastLine;
  }

  /** Lets it end what it does; a service that does not stop within `ms` is killed. */
  async stop(ms: number): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ms);
    await this.#ended;
    clearTimeout(timer);
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream }).on('line', (line) => {
    const text = readable(line);
    if (text !== '') onLine(text);
  });
}

/** The message of a line of JSON, as the services log; any other line as it is. */
function readable(line: string): string {
  try {
    const { message, level }: { message?: unknown; level?: unknown } = JSON.parse(line);
    if (typeof message === 'string') return level === 'log' ? message : `${String(level)}: ${message}`;
  } catch {
    // Redis writes plain lines.
  }
  return line;
}
