import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { fraction, nameList, wholeNumber } from '../../apps/cli/src/option-values.js';
import { projectFolder } from '../project-folder.js';
import { variants } from './variants/all.js';

export interface BenchOptions {
  readonly rounds: number;
  /** All of the corpus when left out. */
  readonly rows?: number | undefined;
  readonly corpus?: readonly string[] | undefined;
  readonly textField: string;
  readonly labelField: string;
  readonly checkpoint?: string | undefined;
  /** Names of variants; all when left out. */
  readonly only?: readonly string[] | undefined;
  readonly speed: number;
  readonly workers: number;
  readonly batchTokens: number;
  readonly memory: boolean;
  readonly memoryRows: readonly number[];
  readonly out: string;
  readonly cache: string;
  readonly markdown?: string | undefined;
  readonly json: boolean;
}

const examples = `
Examples:
  $ npm run bench
  $ npm run bench -- --rows 300 --rounds 2                     # a quick try
  $ npm run bench -- --only roof-int8,full-int8 --workers 1
  $ npm run bench -- --checkpoint my-checkpoint --corpus train.csv dev.csv --text-field body --label-field topic
  $ npm run bench -- --memory --markdown bench-results/performance.md

Variants: ${variants.map(({ name }) => name).join(', ')}.
Without --checkpoint and --corpus: the AG News checkpoint and texts of the shared folder (SLUICE_SHARED, or shared
beside the project); where it is missing, models/spam on the mails of the demo, as far as a bundle goes.
Every variant of every round runs in a fresh process. int8 scales come from the first 512 rows of the first file.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function benchOptions(args: readonly string[]): BenchOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const command = new Command('bench')
    .description(
      'measure what limits Sluice: GEMM roof, full depth, early exit, file to file, phases, memory',
    )
    .option('--rounds <n>', 'how often each variant runs', wholeNumber(1), 5)
    .option('--rows <n>', 'only so many rows, at even distances', wholeNumber(1))
    .option('--corpus <files...>', 'rows to label')
    .option('--text-field <name>', 'field that holds the text', 'text')
    .option('--label-field <name>', 'field that holds the right label', 'label')
    .option('--checkpoint <dir>', 'checkpoint that the bundles are compiled from')
    .option('--only <names>', 'only these variants, with commas between them', nameList)
    .option('--speed <number>', 'of the early exits', fraction, 0.2)
    .option('--workers <n>', 'inference threads', wholeNumber(1), availableParallelism())
    .option('--batch-tokens <n>', 'tokens that are computed together', wholeNumber(1), 1024)
    .option('--memory', 'also the memory of sluice label over long corpora; takes many minutes', false)
    .option('--memory-rows <a,b,…>', 'their rows', rowsList, [100_000, 1_000_000])
    .option('--out <file>', 'every raw sample, as JSON', `bench-results/bench-${stamp}.json`)
    .option(
      '--cache <dir>',
      'compiled bundles are kept here',
      join(projectFolder, 'node_modules/.cache/sluice-bench'),
    )
    .option('--markdown <file>', 'write the tables to this file, and plots (SVG) beside it')
    .option('--json', 'print the result as JSON instead of tables', false)
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' });
  return command.opts<BenchOptions>();
}

function rowsList(text: string): number[] {
  return text.split(',').map(wholeNumber(1));
}
