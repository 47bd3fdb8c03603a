/** `npm run bench:training`: see --help. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CommanderError } from 'commander';
import { openModel } from '#model/import/open-model.js';
import { UsageError } from '#run/usage-error.js';
import { projectFolder } from '../../project-folder.js';
import { pythonEnvironment } from '../peers/python-environment.js';
import { threadSettings } from '../peers/run-python.js';
import { markdownTable } from '../view/markdown-table.js';
import { plainTable } from '../view/plain-tables.js';
import type { TrainingBenchOptions } from './options.js';
import { trainingBenchOptions } from './options.js';
import { readWork, writeBatches } from './prepare-work.js';
import type { TrainingSample } from './training-tables.js';
import { expectSameLosses, stepSeconds, stepsTable } from './training-tables.js';
import type { StageOutcome, StageWork } from './work.js';

const run = promisify(execFile);
const MOST_OUTPUT = 1 << 24;
/** As the recipes of the shared checkpoints have them. */
const stages = [
  { stage: 0, batchTokens: 2048, rate: 8e-5 },
  { stage: 1, batchTokens: 4096, rate: 1e-3 },
] as const;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** @throws UsageError where there is no checkpoint to begin with */
function source(options: TrainingBenchOptions): { checkpoint: string; corpus: string } {
  const shared = process.env['SLUICE_SHARED'] ?? join(projectFolder, '../shared');
  const checkpoint = options.checkpoint ?? join(shared, 'models/agnews-fastbert');
  const corpus = options.corpus ?? join(shared, 'data/agnews/train.jsonl');
  for (const path of [checkpoint, corpus]) {
    if (!existsSync(path)) throw new UsageError(`There is no ${path}: give --checkpoint and --corpus.`);
  }
  return { checkpoint, corpus };
}

interface Places {
  readonly folder: string;
  readonly python: string;
}

async function sideOf(side: TrainingSample['side'], work: StageWork, places: Places): Promise<StageOutcome> {
  const file = join(places.folder, `work-${work.stage}.json`);
  const batches = join(places.folder, `batches-${work.stage}.json`);
  const child = fileURLToPath(import.meta.resolve('./sluice-steps.child.js'));
  const [command, args]: [string, string[]] =
    side === 'sluice'
      ? [process.execPath, [child, file]]
      : [places.python, [join(projectFolder, 'test/bench/training/pytorch_steps.py'), file, batches]];
  const env = {
    ...process.env,
    TF_ENABLE_ONEDNN_OPTS: '1',
    ...(side === 'pytorch' ? threadSettings(work.threads) : {}),
  };
  const { stdout } = await run(command, args, { env, maxBuffer: MOST_OUTPUT });
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}

async function bench(options: TrainingBenchOptions, folder: string): Promise<void> {
  const { checkpoint, corpus } = source(options);
  const python = options.python ?? (await pythonEnvironment(options.cache, say));
  const model = await openModel(checkpoint);
  const rows = await readWork(model, { corpus, rows: options.rows });
  await model.close();
  const works: StageWork[] = [];
  for (const stage of stages) {
    const { steps, threads, backend } = options;
    const settings = {
      ...stage,
      seed: 1,
      steps,
      threads,
      backend,
      checkpoint,
      corpus,
      rows: options.rows,
      folder,
    };
    const stepsOfEpoch = await writeBatches(join(folder, `batches-${stage.stage}.json`), rows, settings);
    if (stepsOfEpoch < steps) {
      throw new UsageError(
        `${options.rows} rows make ${stepsOfEpoch} batches of ${stage.batchTokens} tokens, and ${steps} steps were asked for: give more --rows.`,
      );
    }
    const work = { ...settings, stepsOfEpoch };
    await writeFile(join(folder, `work-${stage.stage}.json`), JSON.stringify(work));
    works.push(work);
  }
  const samples: TrainingSample[] = [];
  const load = loadavg()[0]!.toFixed(2);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const work of works) {
      const outcomes: Partial<Record<TrainingSample['side'], StageOutcome>> = {};
      const sides: TrainingSample['side'][] = ['sluice', 'pytorch'];
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const outcome = await sideOf(side, work, { folder, python });
        outcomes[side] = outcome;
        samples.push({ stage: work.stage, side, round, outcome });
        say(
          `round ${round + 1}/${options.rounds}  stage ${work.stage}  ${side.padEnd(8)} ${stepSeconds(outcome).toFixed(3)} s a step` +
            (outcome.statesSeconds > 0 ? `, hidden states once ${outcome.statesSeconds.toFixed(1)} s` : ''),
        );
      }
      expectSameLosses(work.stage, outcomes.sluice!, outcomes.pytorch!);
    }
  }
  const computesWith = (side: TrainingSample['side']): string =>
    samples.find((sample) => sample.side === side)!.outcome.computesWith;
  const configuration = [
    `- processor: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${load} at the start`,
    `- Sluice: ${computesWith('sluice')}, Node ${process.version}; PyTorch: ${computesWith('pytorch')}, ${options.threads} threads`,
    `- ${basename(checkpoint)}, ${rows.lengths.length} rows of ${basename(corpus)}, ${(rows.tokens.ids.length / rows.lengths.length).toFixed(1)} tokens each; ${options.steps} steps a run, the first two not counted; ${options.rounds} rounds, the sides in turn`,
  ];
  const table = stepsTable(samples, works);
  const checked = 'Both sides had the same losses in the first eight steps of every run, within 2 %.';
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(options.out, `${JSON.stringify({ configuration, works, samples }, null, 2)}\n`);
  process.stdout.write([...configuration, '', ...plainTable(table), checked, ''].join('\n'));
  if (options.markdown !== undefined) {
    const head = [
      '# Training beside PyTorch',
      '',
      `Measured ${new Date().toISOString().slice(0, 10)} by \`npm run bench:training\`: median (least–most). ${checked}`,
    ];
    await writeFile(
      options.markdown,
      [...head, '', ...configuration, '', ...markdownTable(table)].join('\n'),
    );
  }
  say(`Every raw figure: ${options.out}`);
}

try {
  const options = trainingBenchOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  const folder = await mkdtemp(join(options.cache, 'training-'));
  try {
    await bench(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench:training: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }
}
