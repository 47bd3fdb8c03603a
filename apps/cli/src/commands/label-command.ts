import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { corpusPaths } from '#corpus/corpus-paths.js';
import type { OutputFormat } from '#corpus/row-writer.js';
import type { Bundle } from '#model/bundle/bundle.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { modelHelp, openBundleOf } from '../direct-model/open-bundle-of.js';
import { choosePolicy } from '#run/choose-policy.js';
import type { LabelCorpusResult } from '#run/label-corpus.js';
import { labelCorpus } from '#run/label-corpus.js';
import type { LabelOptions } from '#run/label-options.js';
import { localWorkers } from '#run/local-workers.js';
import { LiveProgress } from '../label/live-progress.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { fraction, nameList, threadCount, wholeNumber } from '../option-values.js';
import { labelView } from '../terminal/label-view.js';
import { openDisplay } from '../terminal/open-display.js';
import { rowsText } from '../terminal/quantity.js';
import { reportLines } from '../terminal/report-view.js';
import { UsageError } from '#run/usage-error.js';
import { withCorpusFields } from './corpus-fields.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice label reviews.jsonl --model models/reviews --out labelled.jsonl
  $ sluice label mail.csv --model models/spam --text-field body --speed 0.2 --out labelled.csv
  $ sluice label pairs.tsv --model models/entails --text-field premise --pair-field hypothesis
  $ sluice label test.jsonl --model models/spam --label-field label --policy fast     # reports accuracy, too
  $ sluice label 2024/*.csv.gz --model models/spam --text-field body --out labelled.csv.gz
  $ curl https://example.org/huge.jsonl.gz | sluice label - --format jsonl --model models/spam --out labelled.jsonl

A run that was interrupted goes on where it was when the same command is given again.
Output rows have the input's fields and label, confidence, exit_layer, uncertainty.

Files are read in the order that they are named in, as one corpus, gzip where they are; tables must have the same
columns. A pattern in quotes ('2024/**/*.csv') is matched by sluice, sorted by name: * ? [a-z] within a name, ** for
folders.`;

/** Options as commander gives them. */
interface LabelFlags
  extends OutputOptions, Omit<LabelOptions, 'corpus' | 'out' | 'outFormat' | 'compress' | 'runDir'> {
  readonly out?: string | undefined;
  readonly outFormat?: OutputFormat | undefined;
  readonly runDir?: string | undefined;
}

export function addLabelCommand(program: Command): void {
  const command = program
    .command('label')
    .description('label a corpus: each row leaves at the first exit that is sure enough')
    .argument(
      '<corpus...>',
      'jsonl, csv, tsv, txt or parquet files, also .gz, or patterns; - for standard input',
    )
    .requiredOption('-m, --model <model>', modelHelp)
    .option(
      '-o, --out <file>',
      'output file, compressed if it ends in .gz (default: <corpus>.labelled.jsonl, .csv for a table, .parquet for parquet)',
    )
    .addOption(
      new Option('--out-format <format>', 'of the output (default: by its extension)').choices([
        'jsonl',
        'csv',
        'parquet',
      ]),
    )
    .addOption(
      new Option('--speed <number>', 'leave at the first exit less uncertain than this; 0 is full depth')
        .argParser(fraction)
        .conflicts('policy'),
    )
    .option(
      '--policy <name>',
      "one of the bundle's presets (full, accurate, balanced, fast), or a JSON file of thresholds (default: balanced)",
    )
    .option('--probabilities', 'write the probability of every class', false)
    .option(
      '--spreadsheet-safe',
      'csv: an apostrophe before cells that spreadsheets take for formulas (= + - @ and the like first); numbers such as -5 stay',
      false,
    )
    .option('--fields <a,b,…>', 'carry only these input fields to the output', nameList)
    .option('--limit <rows>', 'stop after so many rows', wholeNumber(1))
    .option('--run-dir <dir>', 'directory of the run (default: <out>.run)')
    .option('--chunk-rows <n>', 'rows that are committed together', wholeNumber(1), 1024)
    .option('--batch-tokens <n>', 'tokens that are computed together', wholeNumber(1), 1024)
    .option('--workers <n>', 'inference threads', threadCount, availableParallelism())
    .option(
      '--tokenizer-threads <n>',
      'tokenizer threads',
      threadCount,
      Math.max(1, availableParallelism() >> 2),
    )
    .option(
      '--survivor-memory <MiB>',
      'bound of the hidden states that wait between stages',
      wholeNumber(1),
      256,
    )
    .option('--no-dedupe', 'compute texts of the same tokens again and again; the output is the same')
    .option(
      '--dedupe-memory <MiB>',
      'bound of the texts that are remembered, so that the same tokens are computed once',
      wholeNumber(1, 4096),
      64,
    )
    .option('--accept-fingerprint', 'resume on another processor or runtime; last digits may differ', false)
    .addHelpText('after', examples)
    .action((corpus: string[], flags: LabelFlags) => label(corpus, flags));
  withOutputOptions(withCorpusFields(command));
}

async function label(corpus: readonly string[], flags: LabelFlags): Promise<void> {
  const options = await labelOptions(corpus, flags);
  const bundle = await openBundleOf(options.model, {
    pairs: options.pairField !== undefined,
    onNote: (note) => noteLine(flags, note),
  });
  const policy = await choosePolicy(bundle.manifest, options);
  const result = await labelWithDisplay(bundle, policy, options, flags);
  const { report, fieldsLeftOut } = result;
  const json =
    fieldsLeftOut.size > 0 ? { ...report, fieldsLeftOut: Object.fromEntries(fieldsLeftOut) } : report;
  printResult(flags, json, () => [
    ...(result.alreadyFinished ? ['This run was finished before; its output was verified.', ''] : []),
    ...reportLines(report, bundle.manifest.geometry.layers, tableLayout()),
    '',
    options.out,
    ...(report.rejected > 0
      ? [`${rowsText(report.rejected)} rejected: ${options.runDir}/rejects.jsonl`]
      : []),
    ...leftOutLines(fieldsLeftOut),
  ]);
}

function leftOutLines(fields: ReadonlyMap<string, number>): string[] {
  if (fields.size === 0) return [];
  const counts = Array.from(fields, ([name, rows]) => `${name} (${rowsText(rows)})`);
  return [
    `Left out, because the first rows do not have them: ${counts.join(', ')}. A jsonl output carries every field.`,
  ];
}

/** Labels with the live picture on standard error, and stops cleanly on Ctrl-C. */
export async function labelWithDisplay(
  bundle: Bundle,
  policy: ExitPolicy,
  options: LabelOptions,
  output: OutputOptions,
): Promise<LabelCorpusResult> {
  const display = openDisplay(
    process.stderr,
    process.env,
    output.quiet === true || output.json === true,
    labelView,
  );
  const live = new LiveProgress(bundle.manifest, options.limit, (progress) => display.update(progress));
  const stop = stopOnSignals();
  let end: 'finished' | 'stopped' = 'stopped';
  try {
    const result = await labelCorpus(bundle, policy, options, localWorkers(bundle, policy, options, live), {
      signal: stop.signal,
      onNote: (note) => display.note(note),
      onProgress: (progress) => live.runProgressed(progress),
    });
    end = 'finished';
    return result;
  } finally {
    display.close(end);
    stop.release();
  }
}

async function labelOptions(given: readonly string[], flags: LabelFlags): Promise<LabelOptions> {
  const out = normalize(flags.out ?? defaultOut(given, await corpusPaths(given), flags));
  const runDir = normalize(flags.runDir ?? `${out}.run`);
  const corpus = await corpusPaths(given, [out, runDir]);
  const outFormat = flags.outFormat ?? formatOfOut(out);
  if (flags.spreadsheetSafe && outFormat !== 'csv') {
    throw new UsageError(`--spreadsheet-safe is for csv; the output ${out} is ${outFormat}.`);
  }
  const compress = isCompressed(out);
  if (compress && outFormat === 'parquet') {
    throw new UsageError(`Parquet is compressed inside: end the output ${out} in .parquet, without .gz.`);
  }
  return { ...flags, corpus, out, outFormat, compress, runDir };
}

/** `mail.csv` → `mail.labelled.csv` beside it, `mail.csv.gz` → `mail.labelled.csv.gz`. */
function defaultOut(
  given: readonly string[],
  [path, ...others]: readonly string[],
  flags: LabelFlags,
): string {
  // What a pattern stands for today may be more tomorrow, this output first of all.
  const isNamed = path === given[0];
  if (path === undefined || path === '-' || others.length > 0 || !isNamed) {
    const rows =
      path === '-' ? 'standard input' : isNamed || others.length > 0 ? 'several files' : 'a pattern';
    throw new UsageError(`Rows from ${rows} need a place to go: give --out FILE.`);
  }
  const plain = withoutGz(path);
  const extension = extname(plain);
  const format = flags.format ?? extension.slice(1).toLowerCase();
  const outFormat = flags.outFormat ?? outFormats[format] ?? 'jsonl';
  const name = `${basename(plain, extension)}.labelled.${outFormat}`;
  return join(dirname(path), isCompressed(path) && outFormat !== 'parquet' ? `${name}.gz` : name);
}

/** What a corpus is written as, by its format, where that is not JSON lines. */
const outFormats: Readonly<Record<string, OutputFormat>> = { csv: 'csv', tsv: 'csv', parquet: 'parquet' };

function formatOfOut(out: string): OutputFormat {
  switch (extname(withoutGz(out)).toLowerCase()) {
    case '.jsonl':
    case '.ndjson':
      return 'jsonl';
    case '.csv':
      return 'csv';
    case '.parquet':
      return 'parquet';
    default:
      throw new UsageError(
        `The format of ${out} is unknown: end it in .jsonl, .csv or .parquet, or give --out-format.`,
      );
  }
}

function isCompressed(path: string): boolean {
  return path.toLowerCase().endsWith('.gz');
}

function withoutGz(path: string): string {
  return isCompressed(path) ? path.slice(0, -'.gz'.length) : path;
}
