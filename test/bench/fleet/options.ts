import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../../apps/cli/src/option-values.js';
import { projectFolder } from '../../project-folder.js';

export interface FleetBenchOptions {
  readonly rounds: number;
  readonly rows: number;
  readonly repeat: number;
  readonly memoryRows: number;
  readonly checkpoint?: string | undefined;
  readonly corpus?: string[] | undefined;
  readonly cache: string;
  readonly out: string;
  readonly markdown?: string | undefined;
}

const examples = `
Examples:
  $ npm run bench:fleet
  $ npm run bench:fleet -- --rows 1000 --rounds 1 --memory-rows 100000   # a quick try
  $ npm run bench:fleet -- --markdown docs/performance-fleet.md

Needs redis-server. Measures, side by side: sluice label and a fleet of this machine (Redis, a producer, two workers of one
thread) on the same rows; how full the batches of a deep stage on a worker of its own are; how soon health and metrics
answer meanwhile; and the memory of every process in a run of many short rows without a model. About 20 minutes.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function fleetBenchOptions(args: readonly string[]): FleetBenchOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return new Command('bench:fleet')
    .description('measure a fleet on one machine beside sluice label')
    .option('--rounds <n>', 'how often each variant runs', wholeNumber(1), 3)
    .option('--rows <n>', 'rows that are labelled, at even distances', wholeNumber(1), 6600)
    .option(
      '--repeat <n>',
      'times that these rows are in the corpus, so that it is long enough',
      wholeNumber(1),
      4,
    )
    .option(
      '--memory-rows <n>',
      'short rows of the run whose memory is measured; 0 leaves it out',
      wholeNumber(0),
      5_000_000,
    )
    .option(
      '--checkpoint <dir>',
      'compiled for the bench (default: agnews in the shared folder, or models/spam)',
    )
    .option('--corpus <file...>', 'rows to label')
    .option('--cache <dir>', 'for compiled bundles', join(projectFolder, 'node_modules/.cache/sluice-bench'))
    .option('--out <file>', 'every raw figure, as JSON', `bench-results/fleet-${stamp}.json`)
    .option('--markdown <file>', 'write the tables to this file, and plots (SVG) beside it')
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<FleetBenchOptions>();
}
