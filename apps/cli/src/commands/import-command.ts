import type { Command } from 'commander';
import { Option } from 'commander';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { openModel } from '#model/import/open-model.js';
import { writeCheckpoint } from '#model/import/write-checkpoint.js';
import { readRegularFile } from '#pipeline/regular-file.js';
import { changedConfig } from '../import/changed-config.js';
import { checkpointFacts, checkpointJson, checkpointLines } from '../import/checkpoint-view.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { nameList, wholeNumber } from '../option-values.js';
import { importView } from '../terminal/import-view.js';
import { openDisplay } from '../terminal/open-display.js';
import type { OutputOptions } from './output-options.js';
import { printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice import fastbert/Epoch_3.bin --out checkpoints/mine --labels negative,positive    # BitVoyage/FastBERT
  $ sluice import fastbert --out checkpoints/mine                     # a folder with kernel.json and one .bin (UER)
  $ sluice import my-roberta-classifier --out checkpoints/mine --max-length 128             # Hugging Face
  $ sluice import bert-base-chinese --out checkpoints/backbone        # a backbone, to be trained
  $ sluice import my-nli-model --out checkpoints/nli --task pair --labels-file labels.txt

The format is told by the files: BitVoyage/FastBERT, autoliuweijie/FastBERT (UER), Hugging Face BERT, RoBERTa,
XLM-RoBERTa, DistilBERT, ELECTRA and ERNIE, and Sluice's own; weights in safetensors or torch's .bin, of which nothing is
executed. Configuration and vocabulary lie beside the weights. Written are config.json, tokenizer.json and
model.safetensors in float32, all or nothing. Other commands take all of these directly as well.`;

/** Below this an import is over before its progress could be read. */
const LEAST_SHOWN_BYTES = 2 ** 27;
const FLOAT32_BYTES = 4;

/** Stopped by the user. */
export class ImportStoppedError extends Error {
  override readonly name = 'ImportStoppedError';

  constructor() {
    super('Stopped; nothing was written.');
  }
}

interface ImportFlags extends OutputOptions {
  readonly out: string;
  readonly force: boolean;
  readonly labels?: readonly string[] | undefined;
  readonly labelsFile?: string | undefined;
  readonly task?: 'single' | 'pair' | undefined;
  readonly maxLength?: number | undefined;
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('convert a model of another program to a checkpoint, and say what it is')
    .argument('<model>', 'directory of the model, or its weight file')
    .requiredOption('-o, --out <dir>', 'directory of the checkpoint')
    .option('--force', 'replace the checkpoint if it is there', false)
    .addOption(
      new Option('--labels <a,b,…>', 'names of the classes, in their order')
        .argParser(nameList)
        .conflicts('labelsFile'),
    )
    .option('--labels-file <file>', 'names of the classes, one a line')
    .addOption(new Option('--task <task>', 'what the model labels').choices(['single', 'pair']))
    .option('--max-length <tokens>', 'tokens of a text, special ones included', wholeNumber(4))
    .addHelpText('after', examples)
    .action((path: string, flags: ImportFlags) => importModel(path, flags));
  withOutputOptions(command);
}

async function importModel(path: string, flags: ImportFlags): Promise<void> {
  const labels = flags.labelsFile === undefined ? flags.labels : await labelsOfFile(flags.labelsFile);
  const checkpoint = await openModel(path);
  try {
    const config = changedConfig(checkpoint.config, { ...flags, labels });
    const facts = await checkpointFacts(checkpoint, config);
    await writeWithDisplay(checkpoint, config, facts.parameters, flags);
    printResult(flags, { out: flags.out, ...checkpointJson(facts) }, () => [
      ...checkpointLines(facts, tableLayout()),
      '',
      flags.out,
    ]);
  } finally {
    await checkpoint.close();
  }
}

/** Writes with the live picture on standard error, and stops on Ctrl-C without a trace. */
async function writeWithDisplay(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  parameters: number,
  { out, force, quiet, json }: ImportFlags,
): Promise<void> {
  const silent = quiet === true || json === true || parameters * FLOAT32_BYTES < LEAST_SHOWN_BYTES;
  const display = openDisplay(process.stderr, process.env, silent, importView);
  const stop = stopOnSignals();
  const begun = performance.now();
  let end: 'finished' | 'stopped' = 'stopped';
  try {
    await writeCheckpoint(checkpoint, config, {
      out,
      force,
      signal: stop.signal,
      onProgress: ({ tensor, values, totalValues }) =>
        display.update({
          phase: 'importing',
          fraction: values / totalValues,
          bytes: values * FLOAT32_BYTES,
          totalBytes: totalValues * FLOAT32_BYTES,
          tensor,
          elapsedMs: performance.now() - begun,
        }),
    });
    end = 'finished';
  } catch (error) {
    throw stop.signal.aborted ? new ImportStoppedError() : error;
  } finally {
    display.close(end);
    stop.release();
  }
}

async function labelsOfFile(path: string): Promise<string[]> {
  const text = await readRegularFile(path);
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
}
