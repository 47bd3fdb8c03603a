import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { corpusPaths } from '#corpus/corpus-paths.js';
import type { RunRequest } from '#run/run-request.js';
import { runName } from '#run/run-name.js';
import type { RunView } from '#run/run-view.js';
import { UsageError } from '#run/usage-error.js';
import { fraction, nameList, wholeNumber } from '../option-values.js';
import type { ServerOptions } from '../remote/server-options.js';
import { clientOf, withServerOptions } from '../remote/server-options.js';
import { watchRun } from '../remote/watch-run.js';
import { reportLines } from '../terminal/report-view.js';
import type { CorpusFields } from './corpus-fields.js';
import { withCorpusFields } from './corpus-fields.js';
import { noteLine, printResult, tableLayout } from './output-options.js';

const examples = `
Examples:
  $ sluice submit reviews.jsonl --model reviews
  $ sluice submit mail.csv --model spam --text-field body --speed 0.2 --out-format csv --watch
  $ sluice submit --on-server 2024/mail.jsonl.gz --model spam      # a file that the producer reads itself
  $ sluice submit texts.jsonl --model spam --json --quiet           # for programs: the run as JSON

The files are sent to the producer, whose workers label them. Then: sluice watch <run>, sluice fetch <run>.`;

interface SubmitFlags
  extends
    ServerOptions,
    CorpusFields,
    Pick<RunRequest, 'model' | 'speed' | 'fields' | 'limit' | 'outFormat' | 'priority'> {
  readonly policy?: string | undefined;
  readonly probabilities?: true | undefined;
  readonly spreadsheetSafe?: true | undefined;
  readonly compress?: true | undefined;
  readonly onServer?: true | undefined;
  readonly watch?: true | undefined;
}

export function addSubmitCommand(program: Command): void {
  const command = program
    .command('submit')
    .description('have a corpus labelled by a fleet: send it to a producer')
    .argument('<corpus...>', 'jsonl, csv, tsv, txt or parquet files, also .gz, or patterns')
    .requiredOption('-m, --model <name>', 'name of a bundle that the producer has')
    .addOption(
      new Option('--speed <number>', 'leave at the first exit less uncertain than this; 0 is full depth')
        .argParser(fraction)
        .conflicts('policy'),
    )
    .option(
      '--policy <name>',
      "one of the bundle's presets (full, accurate, balanced, fast; default: balanced)",
    )
    .addOption(
      new Option('--out-format <format>', 'of the output (default: jsonl)').choices([
        'jsonl',
        'csv',
        'parquet',
      ]),
    )
    .option('--compress', 'gzip the output')
    .option('--probabilities', 'write the probability of every class')
    .option('--spreadsheet-safe', 'csv: an apostrophe before cells that spreadsheets take for formulas')
    .option('--fields <a,b,…>', 'carry only these input fields to the output', nameList)
    .option('--limit <rows>', 'stop after so many rows', wholeNumber(1))
    .addOption(
      new Option('--priority <level>', 'among runs (default: normal)').choices(['high', 'normal', 'low']),
    )
    .option('--on-server', 'the files are on the producer, below the folder that it allows')
    .option('--watch', 'show the run until it is finished')
    .addHelpText('after', examples)
    .action((corpus: string[], flags: SubmitFlags) => submit(corpus, flags));
  withServerOptions(withCorpusFields(command));
}

async function submit(given: readonly string[], flags: SubmitFlags): Promise<void> {
  const { server: _server, json: _json, quiet: _quiet, onServer, watch, ...options } = flags;
  const client = clientOf(flags);
  if (given.includes('-'))
    throw new UsageError('A corpus of standard input cannot be submitted: name files.');
  const files = onServer === true ? [] : await corpusPaths(given);
  for (const file of files) await expectFile(file);
  const request: RunRequest = onServer === true ? { ...options, path: [...given] } : options;
  const run = await client.submit(request, files);
  if (watch !== true) return printResult(flags, run, () => submittedLines(run));
  noteLine(flags, `Run ${run.id}.`);
  const finished = await watchRun(client, run.id, flags);
  printResult(flags, finished, () => finishedLines(finished));
}

async function expectFile(path: string): Promise<void> {
  const file = await stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}.`);
  });
  if (!file.isFile()) throw new UsageError(`${path} is no file.`);
}

function submittedLines(run: RunView): string[] {
  const { id, request } = run;
  return [`Run ${id}: ${runName(run)} with the model ${request.model}.`, '', `sluice watch ${id}`];
}

/** What a finished run came to, and how its output is had. */
export function finishedLines({ id, report, output, progress }: RunView): string[] {
  if (report === undefined || output === undefined) return [`Run ${id} is finished.`];
  return [
    ...reportLines(report, progress?.layers ?? 0, tableLayout()),
    '',
    `sluice fetch ${id} --out labelled.${output.format}`,
  ];
}
