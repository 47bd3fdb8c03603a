import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { RowsOfModel } from '#corpus/corpus-options.js';
import type { Manifest } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import type { Precision } from '#model/compile/stage-graph.js';
import { openModel } from '#model/import/open-model.js';
import { fraction, labelThresholds, layerList, layerRanges, wholeNumber } from '../option-values.js';
import { bundleLines } from '../bundle-view.js';
import { version } from '../version.js';
import type { CorpusFields } from './corpus-fields.js';
import { withCorpusFields } from './corpus-fields.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';
import { readSample } from './sample-file.js';

const examples = `
Examples:
  $ sluice compile spam-fastbert --calibrate mail.jsonl --out models/spam
  $ sluice compile spam-fastbert --calibrate mail.jsonl --measure dev.jsonl --label-field label --out models/spam
  $ sluice compile my-bert-classifier --precision fp32 --out models/mine       # a Hugging Face directory
  $ sluice compile toxicity --thresholds insult=0.6,threat=0.3 --out models/toxicity  # any number of labels a text
  $ sluice compile topics-of-100 --uncertainty-top 10 --out models/topics
  $ sluice compile spam-fastbert --calibrate mail.jsonl --stages 0,2 --exits 0-3 --out models/spam-small

The checkpoint is a directory of Sluice's own, or anything that sluice import reads. Calibration texts
should look like those to be labelled; a few hundred do, and they need no labels.`;

/** Texts that agreement and accuracy are measured on, at most. */
const MEASURED_ROWS = 2000;
const CALIBRATION_ROWS = 512;

interface CompileFlags extends OutputOptions, CorpusFields {
  readonly out?: string | undefined;
  readonly force: boolean;
  readonly precision?: Precision | undefined;
  readonly calibrate?: string | undefined;
  readonly measure?: string | undefined;
  readonly minAgreement: number;
  readonly stages?: readonly number[] | undefined;
  readonly exits?: readonly number[] | undefined;
  readonly maxLength?: number | undefined;
  readonly task?: 'single' | 'pair' | undefined;
  readonly thresholds?: number | ReadonlyMap<string, number> | undefined;
  readonly uncertaintyTop?: number | undefined;
}

export function addCompileCommand(program: Command): void {
  const command = program
    .command('compile')
    .description('compile a checkpoint into a bundle: one ONNX graph per stage, tokenizer, manifest')
    .argument('<checkpoint>', 'directory of the checkpoint')
    .option('-o, --out <dir>', 'directory of the bundle (default: models/<name of the checkpoint>)')
    .option('--force', 'replace the bundle if it is there', false)
    .addOption(
      new Option(
        '--precision <precision>',
        'int8 where --calibrate is given, else fp32; fp16 is for CUDA',
      ).choices(['fp32', 'int8', 'fp16']),
    )
    .option('--calibrate <file>', `corpus whose first ${CALIBRATION_ROWS} texts give the int8 scales`)
    .option(
      '--measure <file>',
      `corpus whose first ${MEASURED_ROWS} texts quality is measured on (default: that of --calibrate)`,
    )
    .option(
      '--min-agreement <share>',
      'least share of texts that int8 must label as fp32 does at full depth',
      fraction,
      0.99,
    )
    .option(
      '--stages <layers>',
      'last layer of each stage but the final one, such as 2,4; 0 is exit 0 alone',
      layerList,
    )
    .option('--exits <layers>', 'exits to keep, such as 1-6 (default: all)', layerRanges)
    .option(
      '--max-length <tokens>',
      'tokens of a text, special ones included (default: that of the checkpoint)',
      wholeNumber(4),
    )
    .addOption(new Option('--task <task>', 'of a Hugging Face classifier').choices(['single', 'pair']))
    .option(
      '--thresholds <share>',
      'of a multi-label head: the probability from which on a text has a label, such as 0.4 or spam=0.4,rude=0.7 (default: 0.5)',
      labelThresholds,
    )
    .option(
      '--uncertainty-top <k>',
      'uncertainty over the k most probable labels alone, for models of many (default: over all)',
      wholeNumber(2),
    )
    .addHelpText('after', examples)
    .action((checkpoint: string, flags: CompileFlags) => compile(checkpoint, flags));
  withOutputOptions(withCorpusFields(command));
}

async function compile(checkpoint: string, flags: CompileFlags): Promise<void> {
  const { calibrate, measure } = flags;
  const out = flags.out ?? `models/${basename(resolve(checkpoint))}`;
  const recognise = await rowsOfModel(checkpoint, flags.task);
  const reading = { fields: flags, recognise, onNote: (note: string) => noteLine(flags, note) };
  const manifest: Manifest = await compileBundle({
    checkpoint,
    out,
    force: flags.force,
    precision: flags.precision ?? (calibrate === undefined ? 'fp32' : 'int8'),
    stageEnds: flags.stages,
    exits: flags.exits,
    maxLength: flags.maxLength,
    task: flags.task,
    thresholds: flags.thresholds,
    uncertaintyTop: flags.uncertaintyTop,
    calibration: calibrate === undefined ? undefined : await readSample(calibrate, CALIBRATION_ROWS, reading),
    measure: measure === undefined ? undefined : await readSample(measure, MEASURED_ROWS, reading),
    minAgreement: flags.minAgreement,
    tool: `sluice ${version}`,
    onStep: (step) => noteLine(flags, `… ${step}`),
  });
  if (calibrate !== undefined && measure === undefined) {
    noteLine(
      flags,
      'Measured on the calibration texts. If the model was trained on them, agreement and presets look better than they are: measure on others with --measure.',
    );
  }
  printResult(flags, { out, ...manifest }, () => [...bundleLines(manifest, tableLayout()), '', out]);
}

/** What the checkpoint's texts and labels are, before its weights are read. */
async function rowsOfModel(path: string, task: RowsOfModel['task'] | undefined): Promise<RowsOfModel> {
  const checkpoint = await openModel(path);
  try {
    const { config } = checkpoint;
    return { task: task ?? config.task, labels: config.labels, problem: config.problem };
  } finally {
    await checkpoint.close();
  }
}
