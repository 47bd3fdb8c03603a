import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { TrialRows, TriedRows } from './quarantine.js';
import { TrialFailedError } from './quarantine.js';

export interface QuarantineProcessOptions {
  /** Script that calls `serveQuarantine`, and its arguments. */
  readonly script: string;
  readonly args: readonly string[];
  /** After which rows that are worked on are taken for stuck, ms. */
  readonly timeoutMs: number;
}

/** What the process answers. */
export type QuarantineAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'labelled'; readonly rows: TriedRows }
  | { readonly kind: 'threw'; readonly message: string };

/** The process of the quarantine cannot do its work at all, whatever the rows. */
export class QuarantineUnfitError extends Error {
  override readonly name = 'QuarantineUnfitError';
}

/** A process that labels rows which may kill it; started when there are any, and again when they do. One trial at a time. */
export class QuarantineProcess {
  readonly #options: QuarantineProcessOptions;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: QuarantineProcessOptions) {
    this.#options = options;
  }

  /**
   * @throws TrialFailedError where the rows end the process, take too long, or make the model throw
   * @throws QuarantineUnfitError where the process ends before it has any rows
   */
  tryRows(rows: TrialRows): Promise<TriedRows> {
    const trial = this.#last.then(() => this.#try(rows));
    this.#last = trial.catch(() => undefined);
    return trial;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  async #try(rows: TrialRows): Promise<TriedRows> {
    const child = this.#child ?? (await this.#start());
    this.#child = child;
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.timeoutMs);
    try {
      const answer = answerOf(child);
      child.send(rows);
      const found = await answer;
      if (typeof found === 'string') {
        this.#child = undefined;
        throw new TrialFailedError('died', found);
      }
      if (found.kind === 'labelled') return found.rows;
      throw new TrialFailedError(
        'threw',
        found.kind === 'threw' ? found.message : 'It answered out of turn.',
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async #start(): Promise<ChildProcess> {
    const { script, args } = this.#options;
    const child = fork(script, [...args], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Not kept alive for: it lives no longer than its parent, whose end closes the channel.
    child.on('error', () => undefined);
    // It may also die while it has no rows.
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.timeoutMs);
    const ready = await answerOf(child).finally(() => clearTimeout(timer));
    if (typeof ready === 'string') {
      throw new QuarantineUnfitError(`The process that labels suspect rows did not start: ${ready}.`);
    }
    return child;
  }
}

/** The next answer, or how the process ended instead. */
function answerOf(child: ChildProcess): Promise<QuarantineAnswer | string> {
  return new Promise((resolve) => {
    const settle = (outcome: QuarantineAnswer | string): void => {
      child.off('message', settle);
      child.off('exit', ended);
      child.off('error', failed);
      resolve(outcome);
    };
    // It could not be started, or its channel is closed.
    const failed = ({ message }: Error): void => settle(message);
    const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
      settle(signal === null ? `exit code ${code}` : `signal ${signal}`);
    child.once('message', settle);
    child.once('exit', ended);
    child.once('error', failed);
    if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode);
  });
}

/** A parent that is gone needs none. */
const answer = (message: QuarantineAnswer): void =>
  void process.send?.(message, (error: Error | null) => {
    if (error !== null) process.exit();
  });

/** The other side: labels what it is sent, until its parent is gone. */
export function serveQuarantine(label: (rows: TrialRows) => Promise<TriedRows>): void {
  process.on('message', (rows: TrialRows) => {
    label(rows).then(
      (labelled) => answer({ kind: 'labelled', rows: labelled }),
      (error: unknown) =>
        answer({ kind: 'threw', message: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
  answer({ kind: 'ready' });
}
