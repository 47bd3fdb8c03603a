/** `npm run bench:fleet`: see --help. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from '#run/usage-error.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { BenchConfiguration } from '../configuration.js';
import { benchConfiguration } from '../configuration.js';
import { prepareCorpus } from '../corpus.js';
import { bundlesOfBundle, bundlesOfCheckpoint } from '../models.js';
import { writeResult } from '../result-file.js';
import { chooseSource } from '../source.js';
import { configurationLines } from '../view/configuration-lines.js';
import { markdownTable } from '../view/markdown-table.js';
import { memoryPlot } from '../view/memory-plot.js';
import { plainTable } from '../view/plain-tables.js';
import { fixed } from '../view/spread-text.js';
import { answersTable, budgetTable, memoryTable, queueTable, throughputTable } from './fleet-tables.js';
import { measureBudgets } from './measure-budgets.js';
import type { FleetMemory } from './measure-memory.js';
import { measureMemory } from './measure-memory.js';
import type { QueueCost } from './measure-queue.js';
import { measureQueue } from './measure-queue.js';
import type { ThroughputSample } from './measure-throughput.js';
import { embedded, onFleet, SPEED } from './measure-throughput.js';
import type { FleetBenchOptions } from './options.js';
import { fleetBenchOptions } from './options.js';

const KIND = 'int8-from-0';

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function bench(options: FleetBenchOptions, folder: string): Promise<void> {
  const begun = new Date().toISOString();
  const source = await chooseSource(options, say);
  const corpus = await prepareCorpus({ ...options, files: source.files }, folder);
  const bundles =
    source.kind === 'bundle'
      ? await bundlesOfBundle(source.directory)
      : await bundlesOfCheckpoint(source.directory, corpus.calibration, new Set([KIND]), options.cache, say);
  const bundle = bundles.get(KIND);
  if (bundle === undefined) throw new UsageError('The model has no exit 0: give another --checkpoint.');
  const { maxLength, specialTokens: rule, stages } = bundle.manifest;
  const tokenizer = await TextTokenizer.load(bundle.directory, { rule, maxLength });
  const tokens = tokenizer.tokenize(corpus.texts);
  const configuration = await benchConfiguration(
    {
      rounds: options.rounds,
      workers: 2,
      batchTokens: 1024,
      speed: SPEED,
      model: basename(source.directory),
      compiledBefore: source.kind === 'bundle',
    },
    bundles,
    corpus,
    tokens,
  );
  for (const line of configurationLines(configuration)) say(line);
  const path = join(folder, 'repeated.jsonl');
  await writeFile(path, (await readFile(corpus.path, 'utf8')).repeat(options.repeat));
  const work = { bundle, path, folder };
  const samples = await runRounds(options.rounds, stages.length, work);
  const asked = await onFleet(work, 'fleet', ['all', 'all'], 0, true);
  const length = Math.round(configuration.corpus.lengths.median);
  const budgets = await measureBudgets(bundle, length);
  const queue: QueueCost[] = [];
  for (let round = 0; round < options.rounds; round += 1) queue.push(await measureQueue());
  const memory = options.memoryRows === 0 ? undefined : await measureMemory(options.memoryRows, say);
  await writeResult(options.out, {
    format: 1,
    bench: 'fleet',
    begun,
    configuration,
    samples: [],
    summary: { samples, asked, budgets, queue, memory },
  });
  const tables = [
    throughputTable(samples, options.repeat),
    answersTable([asked]),
    budgetTable(budgets, samples, length),
    queueTable(queue),
    ...(memory === undefined ? [] : [memoryTable(memory)]),
  ];
  process.stdout.write(
    `${[...configurationLines(configuration), '', ...tables.flatMap(plainTable)].join('\n')}\n`,
  );
  if (options.markdown !== undefined)
    await writeMarkdown(options.markdown, begun, configuration, tables, memory);
  say(`Every raw figure: ${options.out}`);
}

/** Every variant in every round, in turn; the outputs must be the same bytes. */
async function runRounds(
  rounds: number,
  stages: number,
  work: Parameters<typeof embedded>[0],
): Promise<ThroughputSample[]> {
  const split =
    stages === 1
      ? []
      : [() => onFleet(work, 'stages', [stages === 2 ? '1' : `1-${stages - 1}`, String(stages)], round)];
  let round = 0;
  const variants = [
    () => embedded(work, round),
    () => onFleet(work, 'fleet', ['all', 'all'], round),
    ...split,
    () => embedded(work, round, true),
    () => onFleet(work, 'fleet, repeats', ['all', 'all'], round),
  ];
  const samples: ThroughputSample[] = [];
  for (; round < rounds; round += 1) {
    // Each is first, second and last in turn.
    for (const index of variants.keys()) {
      const sample = await variants[(index + round) % variants.length]!();
      if (samples.length > 0 && sample.outputSha256 !== samples[0]!.outputSha256) {
        throw new Error(
          `The output of ${sample.variant} in round ${round + 1} is not that of ${samples[0]!.variant}.`,
        );
      }
      samples.push(sample);
      say(
        `round ${round + 1}/${rounds}  ${sample.variant}: ${(sample.rows / sample.seconds).toFixed(1)} rows/s`,
      );
    }
  }
  return samples;
}

async function writeMarkdown(
  path: string,
  begun: string,
  configuration: BenchConfiguration,
  tables: readonly Parameters<typeof markdownTable>[0][],
  memory: FleetMemory | undefined,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const image = `${basename(path, extname(path))}-memory.svg`;
  const svg = memory && fleetMemory(memory);
  if (svg !== undefined) await writeFile(join(dirname(path), image), svg);
  const text = [
    '# A fleet on one machine',
    '',
    `Measured ${begun.slice(0, 10)} by \`npm run bench:fleet\`: median (least–most) over ${configuration.rounds} rounds, the variants in turn.`,
    'The outputs of all variants in all rounds are the same bytes.',
    '',
    ...configurationLines(configuration).map((line) => `- ${line}`),
    '',
    ...tables.flatMap(markdownTable),
    ...(memory === undefined ? [] : [`![memory of each process over the rows](${image})`, '']),
  ];
  await writeFile(path, `${text.join('\n').trimEnd()}\n`);
}

/** A line for each process. */
function fleetMemory({ rows, series }: FleetMemory): string | undefined {
  const title = `Memory of a fleet over ${fixed(rows, 0)} rows`;
  return memoryPlot({ title, note: '; a fleet without a model', rows, lines: series });
}

try {
  const options = fleetBenchOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  const folder = await mkdtemp(join(options.cache, 'fleet-'));
  try {
    await bench(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench:fleet: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
