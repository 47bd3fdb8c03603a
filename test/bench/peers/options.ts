import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { fraction, nameList, wholeNumber } from '../../../apps/cli/src/option-values.js';
import { projectFolder } from '../../project-folder.js';
import { allNames } from './peers-and-sluice.js';

export interface PeersOptions {
  readonly rounds: number;
  /** All of the corpus when left out. */
  readonly rows?: number | undefined;
  readonly corpus?: readonly string[] | undefined;
  readonly textField: string;
  readonly labelField: string;
  readonly checkpoint?: string | undefined;
  /** Names of variants; all when left out. */
  readonly only?: readonly string[] | undefined;
  readonly threads: number;
  readonly batchSize: number;
  readonly speed: number;
  /** Interpreter that has the packages; an environment is made when left out. */
  readonly python?: string | undefined;
  readonly out: string;
  readonly cache: string;
  readonly markdown?: string | undefined;
  readonly json: boolean;
}

const cores = availableParallelism();

const examples = `
Examples:
  $ npm run bench:peers
  $ npm run bench:peers -- --rows 300 --rounds 1               # a quick try
  $ npm run bench:peers -- --only pytorch-int8,label-early --batch-size 64
  $ npm run bench:peers -- --python my-environment/bin/python --markdown bench-results/peers.md

Variants: ${allNames.join(', ')}.
Without --checkpoint and --corpus: the AG News checkpoint and texts of the shared folder (SLUICE_SHARED, or shared
beside the project). Every variant of every round runs in a fresh process. Packages are those of
test/bench/peers/requirements.txt; see the README.md there.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function peersOptions(args: readonly string[]): PeersOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const command = new Command('bench:peers')
    .description('measure sluice label beside what people use in its place, on the same texts')
    .option('--rounds <n>', 'how often each variant runs', wholeNumber(1), 3)
    .option('--rows <n>', 'only so many rows, at even distances', wholeNumber(1))
    .option('--corpus <files...>', 'rows to label')
    .option('--text-field <name>', 'field that holds the text', 'text')
    .option('--label-field <name>', 'field that holds the right label', 'label')
    .option('--checkpoint <dir>', 'checkpoint that all of them run')
    .option('--only <names>', 'only these variants, with commas between them', nameList)
    .option('--threads <n>', 'threads of a peer, inference threads of sluice label', wholeNumber(1), cores)
    .option('--batch-size <n>', 'texts that a peer computes together', wholeNumber(1), 32)
    .option('--speed <number>', 'of the early exits', fraction, 0.2)
    .option('--python <file>', 'interpreter that has the packages (default: one is set up)')
    .option('--out <file>', 'every raw sample, as JSON', `bench-results/peers-${stamp}.json`)
    .option(
      '--cache <dir>',
      'bundles, the Python environment and its graph are kept here',
      join(projectFolder, 'node_modules/.cache/sluice-bench'),
    )
    .option('--markdown <file>', 'write the tables to this file, and a plot (SVG) beside it')
    .option('--json', 'print the result as JSON instead of tables', false)
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' });
  return command.opts<PeersOptions>();
}
