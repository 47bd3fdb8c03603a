import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { backendNames } from '#training/backend/backend-names.js';
import { wholeNumber } from '../../../apps/cli/src/option-values.js';
import { projectFolder } from '../../project-folder.js';

export interface TrainingBenchOptions {
  readonly rounds: number;
  readonly steps: number;
  readonly rows: number;
  readonly corpus?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly backend?: string | undefined;
  readonly threads: number;
  readonly python?: string | undefined;
  readonly out: string;
  readonly cache: string;
  readonly markdown?: string | undefined;
}

const examples = `
Examples:
  $ SLUICE_TFJS_NODE=<folder of deploy/build-tfjs-node.sh> npm run bench:training
  $ npm run bench:training -- --backend wasm --steps 6 --rounds 1
  $ npm run bench:training -- --python my-environment/bin/python --markdown docs/performance-training.md

Without --checkpoint and --corpus: the AG News checkpoint and texts of the shared folder (SLUICE_SHARED, or shared beside
the project). Each side of every round is a fresh process. PyTorch is that of test/bench/peers/requirements.txt.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function trainingBenchOptions(args: readonly string[]): TrainingBenchOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return new Command('bench:training')
    .description('measure steps of training beside PyTorch, on the same batches from the same numbers')
    .option('--rounds <n>', 'how often each side runs', wholeNumber(1), 3)
    .option('--steps <n>', 'steps of each run; the first two are not counted', wholeNumber(4), 14)
    .option('--rows <n>', 'rows of the corpus; their hidden states are computed once', wholeNumber(64), 1600)
    .option('--corpus <file>', 'jsonl with text and label')
    .option('--checkpoint <dir>', 'checkpoint with exits that both begin with')
    .addOption(
      new Option('--backend <name>', 'of Sluice (default: the fastest that loads)').choices(backendNames),
    )
    .option(
      '--threads <n>',
      'threads of PyTorch, and of ONNX Runtime',
      wholeNumber(1),
      availableParallelism(),
    )
    .option('--python <file>', 'interpreter that has the packages (default: one is set up)')
    .option('--out <file>', 'every raw figure, as JSON', `bench-results/training-${stamp}.json`)
    .option(
      '--cache <dir>',
      'the Python environment and hidden states are kept here',
      join(projectFolder, 'node_modules/.cache/sluice-bench'),
    )
    .option('--markdown <file>', 'write the tables to this file')
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<TrainingBenchOptions>();
}
