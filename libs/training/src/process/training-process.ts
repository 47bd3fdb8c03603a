import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrainingHooks } from './training-hooks.js';
import type { TrainingNews, TrainingOutcome, TrainingRequest } from './training-request.js';

/** Characters of standard error that are kept. */
const MOST_LAST_WORDS = 4000;

/** What the process of a training is told. */
export type ToTraining =
  { readonly kind: 'train'; readonly request: TrainingRequest } | { readonly kind: 'stop' };

/** What it answers. */
export type FromTraining =
  | { readonly kind: 'news'; readonly news: TrainingNews }
  | { readonly kind: 'done'; readonly outcome: TrainingOutcome }
  | {
      readonly kind: 'failed';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** Of an error of the system. */
      readonly code: string | undefined;
    };

/** The process of a training ended without a word, as one that is killed does. */
export class TrainingDiedError extends Error {
  override readonly name = 'TrainingDiedError';

  constructor(
    readonly how: string,
    /** The end of what it wrote to standard error. */
    readonly lastWords: string,
  ) {
    super(
      `The process that trains ended: ${how}. Give the same command again: the training goes on from its last checkpoint.` +
        (lastWords === '' ? '' : `\n${lastWords.trimEnd()}`),
    );
  }
}

/**
 * Trains in a process of its own: a step blocks its process for a second, and TensorFlow must not share one with threads.
 * The signal lets the training keep a checkpoint and end.
 *
 * @throws what the training throws, with its name and message; TrainingDiedError
 */
export async function trainInProcess(
  request: TrainingRequest,
  { signal, kill: killing, onNews }: TrainingHooks,
): Promise<TrainingOutcome> {
  const script = fileURLToPath(import.meta.resolve('#entry/training/src/process/training.child.js'));
  const child = fork(script, [], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Its kernels are a fifth faster.
    env: { TF_ENABLE_ONEDNN_OPTS: '1', ...process.env },
    // Ctrl-C reaches all processes of a terminal, and this one is to stop at the end of a step.
    detached: true,
  });
  // TensorFlow remarks on the processor; only the last words of a process that dies are anybody's business.
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (block: string) => {
    lastWords = (lastWords + block).slice(-MOST_LAST_WORDS);
  });
  const tell = (message: ToTraining): void => void child.send(message);
  const stop = (): void => tell({ kind: 'stop' });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  signal?.addEventListener('abort', stop, { once: true });
  killing?.addEventListener('abort', kill, { once: true });
  try {
    return await new Promise<TrainingOutcome>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, ended) =>
        reject(new TrainingDiedError(ended === null ? `exit code ${code}` : `signal ${ended}`, lastWords)),
      );
      child.on('message', (message: FromTraining) => {
        if (message.kind === 'news') onNews(message.news);
        if (message.kind === 'done') resolve(message.outcome);
        if (message.kind === 'failed') reject(asError(message));
      });
      tell({ kind: 'train', request });
      if (signal?.aborted === true) stop();
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    killing?.removeEventListener('abort', kill);
    process.off('exit', kill);
    child.removeAllListeners();
    child.kill('SIGKILL');
  }
}

function asError({ name, message, stack, code }: Extract<FromTraining, { kind: 'failed' }>): Error {
  const error = code === undefined ? new Error(message) : Object.assign(new Error(message), { code });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
