import type { Command } from 'commander';
import { Option } from 'commander';
import type { JointMode } from '#training/fine-tune/joint-mode.js';
import { jointModes } from '#training/fine-tune/joint-mode.js';
import { fineTuneRequest } from '#training/job/step-request.js';
import type { FineTuneStep } from '#training/job/training-steps.js';
import { fineTuneDefaults } from '#training/job/training-steps.js';
import { fraction, labelList, scratchGeometry, wholeNumber } from '../option-values.js';
import { trainWithDisplay } from '../train/train-with-display.js';
import type { TrainingFlags } from '../train/training-options.js';
import { placesOf, withTrainingOptions } from '../train/training-options.js';

const examples = `
Examples:
  $ sluice train --base all-MiniLM-L6-v2 --data train.jsonl --dev dev.jsonl --out checkpoints/topics
  $ sluice train --base bert-base-chinese --data train.tsv --dev dev.tsv --out checkpoints/hotels --rate 2e-5
  $ sluice train --base my-bert --data pairs.csv --task pair --labels no,yes --class-weights balanced --out checkpoints/pairs
  $ sluice train --base bert-base-chinese --from-scratch 4x256x4 --data train.tsv --out checkpoints/small --rate 5e-4 --epochs 8
  $ sluice train --base all-MiniLM-L6-v2 --joint alternate --data train.jsonl --out checkpoints/joint

The base is a directory of Sluice's own checkpoints, or anything that sluice import reads. Encoder and last exit learn; the
other exits then learn from the last one, without labels: sluice distil. A command that was stopped or killed goes on from
its last checkpoint when it is given again.`;

interface TrainFlags extends TrainingFlags {
  readonly base: string;
  readonly task?: 'single' | 'pair' | undefined;
  readonly labels?: string[] | undefined;
  readonly newHead: boolean;
  readonly maxLength?: number | undefined;
  readonly dropout: number;
  readonly classWeights: 'none' | 'balanced';
  readonly joint: JointMode;
  readonly fromScratch?: FineTuneStep['fromScratch'];
}

export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('fine-tune a model on a labelled corpus: the encoder and its last exit')
    .requiredOption('-b, --base <model>', 'checkpoint to begin with, such as a pretrained backbone')
    .addOption(new Option('--task <task>', "what a row is (default: the base's)").choices(['single', 'pair']))
    .option(
      '--labels <a,b,…>',
      'names of the classes, in their order (default: those of the corpus)',
      labelList,
    )
    .option('--new-head', 'begin with a new last exit, whatever the base has', false)
    .option(
      '--max-length <tokens>',
      'tokens of a text, special ones included (default: 128, or that of a base with exits)',
      wholeNumber(4),
    )
    .option('--dropout <share>', 'of hidden states and of attention', fraction, 0.1)
    .addOption(
      new Option('--class-weights <how>', 'balanced: every class has the same part in the loss')
        .choices(['none', 'balanced'])
        .default('none'),
    )
    .addOption(
      new Option(
        '--joint <how>',
        'all exits learn with the encoder: sum of losses, or in turn with the last alone',
      )
        .choices(jointModes.filter((mode) => mode !== 'last'))
        .default('last', 'the last exit alone'),
    )
    .option(
      '--from-scratch <LxHxA>',
      'a new encoder of L layers, hidden size H and A heads; the base gives the tokenizer',
      scratchGeometry,
    )
    .addHelpText('after', examples)
    .action((flags: TrainFlags) =>
      trainWithDisplay(fineTuneRequest(flags, placesOf(flags, flags.base)), flags),
    );
  withTrainingOptions(
    command,
    fineTuneDefaults,
    'field that holds the label, or the number of its class (default: label)',
  );
}
