import type { Command } from 'commander';
import { Option } from 'commander';
import type { BackendName } from '#training/backend/backend-names.js';
import { backendNames } from '#training/backend/backend-names.js';
import type { LoopOptions } from '#training/loop/train.js';
import type { TrainingPlaces } from '#training/job/step-request.js';
import { MOST_EPOCHS } from '#training/job/training-steps.js';
import { UsageError } from '#run/usage-error.js';
import type { CorpusFields } from '../commands/corpus-fields.js';
import { withCorpusFields } from '../commands/corpus-fields.js';
import type { OutputOptions } from '../commands/output-options.js';
import { withOutputOptions } from '../commands/output-options.js';
import { fraction, positiveNumber, wholeNumber } from '../option-values.js';
import { version } from '../version.js';

/** What both kinds of training take. */
export interface TrainingFlags extends OutputOptions, CorpusFields, LoopOptions {
  readonly data: string;
  readonly dev?: string | undefined;
  readonly out: string;
  readonly force: boolean;
  readonly exitSize: number;
  readonly exitHeads: number;
  readonly limit?: number | undefined;
  readonly backend?: BackendName | undefined;
}

/**
 * @param defaults of what the kinds of training differ in
 * @param labelHelp what the label field is for
 */
export function withTrainingOptions(
  command: Command,
  defaults: { readonly epochs: number; readonly batchTokens: number; readonly rate: number },
  labelHelp: string,
): Command {
  command
    .requiredOption('-d, --data <file>', 'corpus to learn from')
    .option('--dev <file>', 'corpus that every epoch is measured on; the best epoch is kept')
    .requiredOption('-o, --out <dir>', 'directory of the checkpoint that is made')
    .option(
      '--force',
      'replace the checkpoint if it is there; a training of the same data and options goes on all the same',
      false,
    )
    .option(
      '--epochs <n>',
      'times that the corpus is learned from',
      wholeNumber(1, MOST_EPOCHS),
      defaults.epochs,
    )
    .option('--batch-tokens <n>', 'tokens of a batch', wholeNumber(16), defaults.batchTokens)
    .option('--accumulate <n>', 'batches that make one step', wholeNumber(1), 1)
    .option('--rate <rate>', 'highest learning rate', positiveNumber, defaults.rate)
    .option(
      '--warm-up <share>',
      'share of the steps in which the rate rises; then it falls to 0',
      fraction,
      0.1,
    )
    .option('--weight-decay <share>', 'of AdamW; none for biases and norms', fraction, 0.01)
    .option('--clip <norm>', 'greatest norm of a gradient', positiveNumber, 1)
    .option(
      '--patience <n>',
      'epochs without a better figure on dev after which it ends; 0: never',
      wholeNumber(0),
      0,
    )
    .option(
      '--seed <n>',
      'of first values, order and dropout: the same seed gives the same model',
      wholeNumber(0),
      1,
    )
    .option(
      '--checkpoint-steps <n>',
      'steps between checkpoints; the same command goes on from the last',
      wholeNumber(1),
      200,
    )
    .option('--exit-size <n>', 'width of a new exit', wholeNumber(1), 128)
    .option('--exit-heads <n>', 'heads of its attention', wholeNumber(1), 2)
    .option('--limit <n>', 'learn from the first n rows', wholeNumber(1))
    .addOption(
      new Option('--backend <name>', 'what computes (default: the fastest that loads)').choices(backendNames),
    );
  return withOutputOptions(withCorpusFields(command, labelHelp));
}

/**
 * Where a training of the command line reads and writes.
 * @param base checkpoint to begin with
 * @throws UsageError
 */
export function placesOf({ data, dev, out, force, patience }: TrainingFlags, base: string): TrainingPlaces {
  if (patience > 0 && dev === undefined) {
    throw new UsageError('--patience counts epochs that were no better on dev: give a corpus with --dev.');
  }
  return { base, out, force, data, dev, tool: `sluice ${version}` };
}
