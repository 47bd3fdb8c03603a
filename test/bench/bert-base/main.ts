/** `npm run bench:bert-base`: see --help. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from '#run/usage-error.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { orderOfRound } from '../alternate.js';
import { benchConfiguration } from '../configuration.js';
import type { BenchCorpus } from '../corpus.js';
import { prepareCorpus } from '../corpus.js';
import { pythonEnvironment, pythonVersion } from '../peers/python-environment.js';
import { projectFolder } from '../../project-folder.js';
import type { BenchResult, Sample } from '../result-file.js';
import { writeResult } from '../result-file.js';
import { runLabel } from '../run-label.js';
import { configurationLines } from '../view/configuration-lines.js';
import { markdownTable } from '../view/markdown-table.js';
import { plainTable } from '../view/plain-tables.js';
import { throughputPlot } from '../view/throughput-plot.js';
import type { BertBaseConfiguration, BertBaseSummary, WholeRun } from './bert-base-result.js';
import { bertBaseTables, summariseDepths } from './bert-base-result.js';
import { checkDepths, checkRound } from './depth-checks.js';
import type { DepthObservation, DepthWork } from './depth-variants.js';
import { BATCH_TOKENS, depthVariants } from './depth-variants.js';
import type { BertBaseOptions } from './options.js';
import { bertBaseOptions } from './options.js';
import { prepareBundles } from './prepare-bundles.js';
import { bertBase } from './write-model.js';

type BertBaseBench = BenchResult<BertBaseConfiguration, BertBaseSummary>;

/** The model's, by which fields of the corpus are recognised. */
const recognise = { task: 'single', labels: ['0', '1'], problem: 'single-label' } as const;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function bench(options: BertBaseOptions, folder: string): Promise<void> {
  const begun = new Date().toISOString();
  const python = await interpreter(options);
  const file = options.corpus ?? sharedCorpus();
  const rows = await prepareCorpus({ ...options, files: [file], recognise }, folder);
  const corpus = { ...rows, calibration: { texts: rows.texts } };
  const prepared = await prepareBundles(folder, corpus.path, say);
  const work: DepthWork = {
    ...prepared,
    corpus,
    threads: options.threads,
    python,
    folder,
    versions: new Map(),
  };
  const common = await configurationOf(options, work);
  for (const line of configurationLines(common)) say(line);
  const { samples, first } = await runDepths(work, options.rounds);
  const checks = [
    'every sample: all rows, each leaving after its layer, and the probabilities of the first round',
    ...checkDepths(depthVariants, first),
  ];
  const whole = options.whole ? await runWhole(options, file, work) : undefined;
  const summary = { ...summariseDepths(depthVariants, samples), steps: prepared.steps, whole, checks };
  const configuration = { ...common, versions: Object.fromEntries(work.versions) };
  await hand(options, { format: 1, bench: 'bert-base', begun, configuration, samples, summary });
}

async function interpreter({ python, cache }: BertBaseOptions): Promise<string> {
  if (python === undefined) return pythonEnvironment(cache, say);
  await pythonVersion(python);
  return python;
}

function sharedCorpus(): string {
  const shared = process.env['SLUICE_SHARED'] ?? join(projectFolder, '../shared');
  const file = join(shared, 'data/chnsenticorp/test.tsv');
  if (existsSync(file)) return file;
  throw new UsageError(`There is no ${file}: give --corpus, or set SLUICE_SHARED.`);
}

async function configurationOf(
  { rounds, threads }: BertBaseOptions,
  { bundles, corpus }: DepthWork,
): ReturnType<typeof benchConfiguration> {
  const tokenizer = await TextTokenizer.load(bundles.fp32, { rule: 'cls', maxLength: bertBase.maxLength });
  return benchConfiguration(
    {
      rounds,
      workers: threads,
      batchTokens: BATCH_TOKENS,
      speed: 0,
      model: `BERT-base with random weights, ${bertBase.layers} layers × ${bertBase.hiddenSize}, ${bertBase.vocabulary} words`,
      compiledBefore: false,
    },
    new Map(),
    corpus,
    tokenizer.tokenize(corpus.texts),
  );
}

async function runDepths(
  work: DepthWork,
  rounds: number,
): Promise<{ samples: Sample[]; first: Map<string, DepthObservation> }> {
  const samples: Sample[] = [];
  const first = new Map<string, DepthObservation>();
  for (let round = 0; round < rounds; round++) {
    for (const variant of orderOfRound(depthVariants, round)) {
      const observed = await variant.run(work);
      if (!first.has(variant.name)) first.set(variant.name, observed);
      checkRound(variant, observed, first.get(variant.name)!);
      const { probabilities: _probabilities, ...measured } = observed;
      samples.push({ variant: variant.name, round, order: samples.length, ...measured });
      const rate = (observed.rows / observed.wallSeconds).toFixed(2);
      say(`round ${round + 1}/${rounds}  ${variant.title}: ${rate} texts/s`);
    }
  }
  return { samples, first };
}

async function runWhole(options: BertBaseOptions, file: string, work: DepthWork): Promise<WholeRun> {
  say('… the whole corpus, int8 at full depth');
  const folder = join(work.folder, 'whole');
  await mkdir(folder);
  const corpus: BenchCorpus = await prepareCorpus(
    { textField: options.textField, files: [file], recognise },
    folder,
  );
  const { rows, seconds, usage } = await runLabel({
    corpus: corpus.path,
    bundle: work.bundles.int8,
    speed: 0,
    workers: work.threads,
    batchTokens: BATCH_TOKENS,
    folder: join(folder, 'labelled'),
  });
  return { rows, seconds, peakBytes: usage.peakBytes };
}

async function hand(options: BertBaseOptions, result: BertBaseBench): Promise<void> {
  await writeResult(options.out, result);
  const lines = [...configurationLines(result.configuration), versionLine(result.configuration)];
  const tables = bertBaseTables(result.summary);
  if (options.markdown !== undefined) await writeMarkdown(options.markdown, result, lines);
  const text = [...lines, '', ...tables.flatMap(plainTable), 'Checked', ...result.summary.checks, ''];
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : text.join('\n'));
  say(`Every raw sample: ${options.out}`);
}

function versionLine({ versions }: BertBaseConfiguration): string {
  const words = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `PyTorch: ${words.join(', ')}`;
}

async function writeMarkdown(path: string, result: BertBaseBench, lines: readonly string[]): Promise<void> {
  const { summary, begun, configuration } = result;
  await mkdir(dirname(path), { recursive: true });
  const image = `${basename(path, extname(path))}-throughput.svg`;
  const svg = throughputPlot(summary.variants);
  if (svg !== undefined) await writeFile(join(dirname(path), image), svg);
  const text = [
    `Measured ${begun.slice(0, 10)} by \`npm run bench:bert-base\`: median (least–most) over ${configuration.rounds} rounds.`,
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    `![texts per second by the layer after which texts leave](${image})`,
    '',
    ...bertBaseTables(summary).flatMap(markdownTable),
    '## Checked',
    '',
    ...summary.checks.map((check) => `- ${check}`),
  ];
  await writeFile(path, `${text.join('\n')}\n`);
}

try {
  const options = bertBaseOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  // On the project's disk: a folder for temporary files may be memory, and the model takes 2 GB.
  const folder = await mkdtemp(join(options.cache, 'bert-base-'));
  try {
    await bench(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench:bert-base: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }
}
