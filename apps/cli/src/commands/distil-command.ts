import type { Command } from 'commander';
import { Option } from 'commander';
import { distilRequest } from '#training/job/step-request.js';
import { distilDefaults } from '#training/job/training-steps.js';
import type { DivergenceDirection } from '#training/loss/divergence-direction.js';
import { divergenceDirections } from '#training/loss/divergence-direction.js';
import { fraction, layerRanges, numberFromZero, positiveNumber } from '../option-values.js';
import { trainWithDisplay } from '../train/train-with-display.js';
import type { TrainingFlags } from '../train/training-options.js';
import { placesOf, withTrainingOptions } from '../train/training-options.js';

const examples = `
Examples:
  $ sluice distil --model checkpoints/topics --data texts.jsonl --out checkpoints/topics-fast
  $ sluice distil --model checkpoints/topics --data texts.jsonl --dev dev.jsonl --label-field label --out checkpoints/topics-fast
  $ sluice distil --model my-bert-classifier --data texts.txt --exits 1-5 --epochs 3 --out checkpoints/mine-fast

Every exit before the last learns to answer as the last does, on any texts of the kind that will be labelled; they need no
labels. Encoder and last exit stay as they are, so that full depth answers as before. Then: sluice compile.`;

interface DistilFlags extends TrainingFlags {
  readonly model: string;
  readonly exits?: number[] | undefined;
  readonly newExits: boolean;
  readonly direction: DivergenceDirection;
  readonly temperature: number;
  readonly hardLabels: number;
  readonly cacheSize: number;
}

export function addDistilCommand(program: Command): void {
  const command = program
    .command('distil')
    .description('teach the exits of a model to answer as its last one, without labels')
    .requiredOption(
      '-m, --model <checkpoint>',
      'checkpoint with a last exit, or a classifier that sluice import reads',
    )
    .option('--exits <layers>', 'layers that get an exit, such as 1-5 (default: all from 0 on)', layerRanges)
    .option('--new-exits', 'begin with new exits where the checkpoint has some already', false)
    .addOption(
      new Option(
        '--direction <which>',
        'of the divergence: KL(teacher‖student), or KL(student‖teacher) as in the paper',
      )
        .choices(divergenceDirections)
        .default('teacher-student'),
    )
    .option('--temperature <t>', 'both distributions are softened by it', positiveNumber, 1)
    .option('--hard-labels <share>', "share of the loss with the rows' own labels", fraction, 0)
    .option(
      '--cache-size <GiB>',
      'disk for hidden states, beside --out; 0: compute them anew in every epoch',
      numberFromZero,
      8,
    )
    .addHelpText('after', examples)
    .action((flags: DistilFlags) =>
      trainWithDisplay(distilRequest(flags, placesOf(flags, flags.model)), flags),
    );
  withTrainingOptions(
    command,
    distilDefaults,
    'field of the right label, of dev and for --hard-labels (default: label for --hard-labels; dev then shows agreement with the last exit)',
  );
}
