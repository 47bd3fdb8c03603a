/** `npm run bench`: see --help. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from '#run/usage-error.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { checkAcross } from './checks.js';
import type { BenchConfiguration } from './configuration.js';
import { benchConfiguration } from './configuration.js';
import type { BenchCorpus } from './corpus.js';
import { prepareCorpus } from './corpus.js';
import { exactBatches } from './exact-batches.js';
import type { MemoryRun } from './memory.js';
import { MEMORY_BUNDLE, measureMemory } from './memory.js';
import type { Bundles } from './models.js';
import { bundlesOfBundle, bundlesOfCheckpoint } from './models.js';
import type { BenchOptions } from './options.js';
import { benchOptions } from './options.js';
import type { BenchResult, Sample } from './result-file.js';
import { writeResult } from './result-file.js';
import { runRounds } from './run-rounds.js';
import type { BenchSource } from './source.js';
import { chooseSource } from './source.js';
import type { BenchSummary } from './summary.js';
import { summarise } from './summary.js';
import { variants as allVariants } from './variants/all.js';
import type { BenchWork, Variant } from './variants/variant.js';
import { configurationLines } from './view/configuration-lines.js';
import { plainTables } from './view/plain-tables.js';
import { resultTables } from './view/result-tables.js';
import { writeMarkdown } from './view/write-markdown.js';

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The variants that were asked for and that there are bundles for. @throws UsageError for an unknown name */
function chosenVariants({ only }: BenchOptions): readonly Variant[] {
  const unknown = only?.find((name) => !allVariants.some((variant) => variant.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no variant ${unknown}. --help lists them.`);
  return allVariants.filter(({ name }) => only?.includes(name) ?? true);
}

async function openBundles(
  { kind, directory }: BenchSource,
  { calibration }: BenchCorpus,
  variants: readonly Variant[],
  { memory, cache }: BenchOptions,
): Promise<Bundles> {
  if (kind === 'bundle') return bundlesOfBundle(directory);
  const needed = new Set(variants.map(({ bundle }) => bundle));
  if (memory) needed.add(MEMORY_BUNDLE);
  return bundlesOfCheckpoint(directory, calibration, needed, cache, (step) => say(`… ${step}`));
}

async function prepareWork(
  options: BenchOptions,
  source: BenchSource,
  variants: readonly Variant[],
  folder: string,
): Promise<BenchWork> {
  const corpus = await prepareCorpus({ ...options, files: source.files }, folder);
  const bundles = await openBundles(source, corpus, variants, options);
  const [any] = bundles.values();
  if (any === undefined) throw new UsageError('The model has no bundle for any of these variants.');
  const { specialTokens: rule, maxLength, task } = any.manifest;
  if (task === 'pair')
    throw new UsageError('The bench measures models of single texts; this one takes pairs.');
  const tokenizer = await TextTokenizer.load(any.directory, { rule, maxLength });
  const tokens = tokenizer.tokenize(corpus.texts);
  const { workers, batchTokens, speed } = options;
  const batches = exactBatches(tokens, batchTokens);
  return { bundles, corpus, tokens, batches, workers, batchTokens, speed, folder };
}

async function bench(options: BenchOptions, folder: string): Promise<void> {
  const begun = new Date().toISOString();
  const source = await chooseSource(options, say);
  const asked = chosenVariants(options);
  const work = await prepareWork(options, source, asked, folder);
  const variants = asked.filter(({ bundle }) => work.bundles.has(bundle));
  const without = asked.filter((variant) => !variants.includes(variant)).map(({ name }) => name);
  if (without.length > 0)
    say(`Left out, because the model has no such exits or precision: ${without.join(', ')}.`);
  const { rounds, workers, batchTokens, speed } = options;
  const configuration = await benchConfiguration(
    {
      rounds,
      workers,
      batchTokens,
      speed,
      model: basename(source.directory),
      compiledBefore: source.kind === 'bundle',
    },
    work.bundles,
    work.corpus,
    work.tokens,
  );
  for (const line of configurationLines(configuration)) say(line);
  const { samples, first } = await runRounds(variants, rounds, work, (sample) =>
    say(sampleLine(sample, rounds)),
  );
  const checks = checkAcross(first);
  const memory: MemoryRun[] = [];
  for (const rows of options.memory ? options.memoryRows : []) {
    say(`… memory over ${rows} rows`);
    memory.push(await measureMemory(work, rows));
  }
  const summary = { ...summarise(variants, samples, first, work), memory, checks };
  await hand(options, { format: 1, bench: 'sluice', begun, configuration, samples, summary });
}

async function hand(
  options: BenchOptions,
  result: BenchResult<BenchConfiguration, BenchSummary>,
): Promise<void> {
  await writeResult(options.out, result);
  const tables = resultTables(result.summary);
  if (options.markdown !== undefined) await writeMarkdown(options.markdown, result, tables);
  process.stdout.write(
    options.json ? `${JSON.stringify(result, undefined, 2)}\n` : plainTables(tables, result.summary.checks),
  );
  say(`Every raw sample: ${options.out}`);
}

function sampleLine({ variant, round, wallSeconds, cpuSeconds, rows }: Sample, rounds: number): string {
  const rate = (rows / wallSeconds).toFixed(0).padStart(7);
  return `round ${round + 1}/${rounds}  ${variant.padEnd(16)} ${rate} texts/s  ${wallSeconds.toFixed(2)} s, processor ${cpuSeconds.toFixed(2)} s`;
}

try {
  const options = benchOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  // On the project's disk: a folder for temporary files may be memory, where commits cost nothing.
  const folder = await mkdtemp(join(options.cache, 'run-'));
  try {
    await bench(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }
}
