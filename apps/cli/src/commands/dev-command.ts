import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { bundleDirectory } from '#model/registry/model-registry.js';
import { UsageError } from '#run/usage-error.js';
import type { DevOptions } from '../dev/dev-fleet.js';
import { DevFleet } from '../dev/dev-fleet.js';
import { lockFolder } from '../dev/lock-folder.js';
import { producerPorts } from '../dev/producer-ports.js';
import { producerReady } from '../dev/producer-ready.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { nameList, threadCount, wholeNumber } from '../option-values.js';

const examples = `
Examples:
  $ sluice dev                                   # Redis, a producer, a worker for each core, a trainer
  $ sluice dev --model models/agnews --workers 4
  $ sluice dev --stages 1,2-3                    # two workers, each with stages of its own
  $ sluice dev --redis redis://127.0.0.1:6379    # with a Redis that runs already

In another terminal:
  $ sluice submit mail.jsonl --model spam --watch

Ctrl-C, or closing the terminal, stops all of it. Runs and trainings go on where they were when it is started again.`;

interface DevFlags {
  readonly model: string;
  readonly workers: number;
  readonly threads: number;
  readonly stages?: readonly string[] | undefined;
  readonly redis?: string | undefined;
  readonly dir: string;
  readonly port: number;
  readonly trainer: boolean;
  readonly checkpoints: string;
}

export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('start a fleet on this machine: Redis, a producer, workers and a trainer, until Ctrl-C')
    .option('-m, --model <dir>', 'directory of the bundle that the workers serve', 'models/spam')
    .option('--workers <n>', 'workers that serve every stage', threadCount, availableParallelism())
    .option('--stages <a,b,…>', 'instead: one worker for each of these, such as all, 1 or 2-3', nameList)
    .option('--threads <n>', 'inference threads of a worker', threadCount, 1)
    .option('--redis <url>', 'a Redis that runs already (default: redis-server of this machine is started)')
    .option('--no-trainer', 'start no trainer')
    .option('--checkpoints <dir>', 'folder of checkpoints that trainings may begin with', 'checkpoints')
    .option('--dir <folder>', 'where runs and trainings are kept', '.sluice')
    .option('--port <n>', 'of the API; the next one is for metrics and queues', wholeNumber(0, 65_534), 9480)
    .addHelpText('after', examples)
    .action((flags: DevFlags) => dev(flags));
}

async function dev({ model, workers, threads, stages, redis, dir, ...flags }: DevFlags): Promise<void> {
  if (!existsSync(join(await bundleDirectory(model), 'bundle.json'))) {
    throw new UsageError(
      `${model} is no bundle. Make one with sluice compile, or leave out --model for models/spam.`,
    );
  }
  if (redis === undefined && spawnSync('redis-server', ['--version']).status !== 0) {
    throw new UsageError(
      'There is no redis-server on this machine. Install it (Debian: apt-get install redis-server), or name one with --redis.',
    );
  }
  const lock = await lockFolder(dir);
  try {
    const ports = await producerPorts(flags.port);
    await runUntilStopped({
      model,
      stages: stages ?? Array.from({ length: workers }, () => 'all'),
      threads,
      redis,
      folder: dir,
      ports,
      trainer: flags.trainer,
      checkpoints: flags.checkpoints,
      onLine: say,
    });
  } finally {
    await lock.release();
  }
}

/** @throws ServiceEndedError */
async function runUntilStopped(options: Omit<DevOptions, 'onGiveUp'>): Promise<void> {
  // SIGHUP is the end of the terminal.
  const stop = stopOnSignals(['SIGINT', 'SIGTERM', 'SIGHUP']);
  const failure = new AbortController();
  const over = AbortSignal.any([stop.signal, failure.signal]);
  // Nothing else keeps this process alive where Redis is another's and services write nothing.
  const alive = setInterval(() => undefined, 60_000);
  const fleet = new DevFleet({ ...options, onGiveUp: (error) => failure.abort(error) });
  try {
    await fleet.start();
    producerReady(options.ports, over).then(
      () => say('dev', `Submit a corpus: sluice submit <corpus> --model ${basename(options.model)} --watch`),
      () => undefined,
    );
    if (!over.aborted) await once(over, 'abort');
    say('dev', 'stopping');
  } finally {
    await fleet.stop();
    clearInterval(alive);
    stop.release();
  }
  failure.signal.throwIfAborted();
}

function say(name: string, line: string): void {
  process.stderr.write(`${name.padEnd(9)} ${line}\n`);
}
