import { join } from 'node:path';
import { Command } from 'commander';
import { countList, wholeNumber } from '../../../apps/cli/src/option-values.js';
import { projectFolder } from '../../project-folder.js';

export interface PlanBenchOptions {
  readonly rounds: number;
  readonly rows: number;
  readonly repeat: number;
  readonly pilotRows: number;
  readonly costRows: number;
  /** Workers of each stage, of the fleets that are compared. */
  readonly workers: number[];
  readonly checkpoint?: string | undefined;
  readonly corpus?: string[] | undefined;
  readonly cache: string;
  readonly out: string;
  readonly markdown?: string | undefined;
}

const examples = `
Examples:
  $ npm run bench:plan
  $ npm run bench:plan -- --rows 1000 --repeat 2 --rounds 1     # a quick try
  $ npm run bench:plan -- --markdown docs/performance-plan.md

Needs redis-server. Foretells how long fleets of this machine take (Redis, a producer, workers of one stage each) from a
pilot on one thread, as sluice plan does, and runs them. Half an hour, on a machine that does nothing else: what other
processes take of it is measured and left out, but not how they disturb caches.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function planBenchOptions(args: readonly string[]): PlanBenchOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return new Command('bench:plan')
    .description('hold the capacity planner against fleets that run')
    .option('--rounds <n>', 'how often each fleet runs', wholeNumber(1), 3)
    .option('--rows <n>', 'rows that are labelled, at even distances', wholeNumber(1), 6600)
    .option('--repeat <n>', 'times that these rows are in the corpus', wholeNumber(1), 8)
    .option('--pilot-rows <n>', 'rows that the pilot labels', wholeNumber(1), 2000)
    .option(
      '--cost-rows <n>',
      'rows without a model that tell what the producer takes',
      wholeNumber(1),
      400_000,
    )
    .option('--workers <a,b,…>', 'workers of each stage, of one fleet after the other', countList, [1, 2])
    .option(
      '--checkpoint <dir>',
      'compiled for the bench (default: agnews in the shared folder, or models/spam)',
    )
    .option('--corpus <file...>', 'rows to label')
    .option('--cache <dir>', 'for compiled bundles', join(projectFolder, 'node_modules/.cache/sluice-bench'))
    .option('--out <file>', 'every raw figure, as JSON', `bench-results/plan-${stamp}.json`)
    .option('--markdown <file>', 'write the tables to this file')
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<PlanBenchOptions>();
}
