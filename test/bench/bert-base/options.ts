import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../../apps/cli/src/option-values.js';
import { projectFolder } from '../../project-folder.js';

export interface BertBaseOptions {
  readonly rounds: number;
  readonly rows: number;
  readonly corpus?: string | undefined;
  readonly textField?: string | undefined;
  readonly whole: boolean;
  readonly threads: number;
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
  $ npm run bench:bert-base
  $ npm run bench:bert-base -- --rows 32 --rounds 1 --no-whole    # a quick try
  $ npm run bench:bert-base -- --python my-environment/bin/python --markdown bench-results/bert-base.md

The model is written for the bench: 12 layers × 768, 21,128 words, random weights, in the format of BitVoyage/FastBERT.
It is imported, compiled to int8 and float32, and compared with PyTorch on the same rows, every text leaving after layer
1, 3, 6 or 12. Without --corpus: ChnSentiCorp's test file in the shared folder (SLUICE_SHARED, or shared beside the
project). About 15 minutes and 2 GB of disk; packages are those of test/bench/peers/requirements.txt.`;

/** @throws CommanderError after it has printed what is wrong, or the help */
export function bertBaseOptions(args: readonly string[]): BertBaseOptions {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return new Command('bench:bert-base')
    .description('measure a model of BERT-base’s size beside PyTorch, by the layer after which texts leave')
    .option('--rounds <n>', 'how often each variant runs', wholeNumber(1), 3)
    .option('--rows <n>', 'rows that are compared, at even distances', wholeNumber(1), 96)
    .option('--corpus <file>', 'rows to label')
    .option('--text-field <name>', 'field that holds the text (default: as sluice label finds it)')
    .option('--no-whole', 'leave out the run over the whole corpus')
    .option('--threads <n>', 'threads of PyTorch, inference threads of sluice label', wholeNumber(1), cores)
    .option('--python <file>', 'interpreter that has the packages (default: one is set up)')
    .option('--out <file>', 'every raw sample, as JSON', `bench-results/bert-base-${stamp}.json`)
    .option(
      '--cache <dir>',
      'for the model, its bundles and the Python environment; the first two are removed at the end',
      join(projectFolder, 'node_modules/.cache/sluice-bench'),
    )
    .option('--markdown <file>', 'write the tables to this file, and a plot (SVG) beside it')
    .option('--json', 'print the result as JSON instead of tables', false)
    .addHelpText('after', examples)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<BertBaseOptions>();
}
