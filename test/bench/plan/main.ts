/** `npm run bench:plan`: see --help. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommanderError } from 'commander';
import { layoutOf } from '#model/bundle/manifest.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { UsageError } from '#run/usage-error.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { pilotOfCorpus } from '../../../apps/cli/src/plan/measure-pilot.js';
import { benchConfiguration } from '../configuration.js';
import { prepareCorpus } from '../corpus.js';
import { bundlesOfBundle, bundlesOfCheckpoint } from '../models.js';
import { writeResult } from '../result-file.js';
import { chooseSource } from '../source.js';
import { configurationLines } from '../view/configuration-lines.js';
import { markdownTable } from '../view/markdown-table.js';
import { plainTable } from '../view/plain-tables.js';
import { fixed } from '../view/spread-text.js';
import { foretell } from './foretell.js';
import { measureCosts } from './measure-costs.js';
import type { PlanBenchOptions } from './options.js';
import { planBenchOptions } from './options.js';
import type { ComparedRun } from './plan-tables.js';
import { besideTable, costTable, errorOf, finishTable, stageTable, worstError } from './plan-tables.js';
import { runStageFleet } from './run-stage-fleet.js';

const KIND = 'int8-from-0';
const SPEED = 0.2;
const BATCH_TOKENS = 1024;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function bench(options: PlanBenchOptions, folder: string): Promise<void> {
  const begun = new Date().toISOString();
  const source = await chooseSource(options, say);
  const corpus = await prepareCorpus({ ...options, files: source.files }, folder);
  const bundles =
    source.kind === 'bundle'
      ? await bundlesOfBundle(source.directory)
      : await bundlesOfCheckpoint(source.directory, corpus.calibration, new Set([KIND]), options.cache, say);
  const bundle = bundles.get(KIND);
  if (bundle === undefined) throw new UsageError('The model has no exit 0: give another --checkpoint.');
  const { maxLength, specialTokens: rule } = bundle.manifest;
  const tokenizer = await TextTokenizer.load(bundle.directory, { rule, maxLength });
  const configuration = await benchConfiguration(
    {
      rounds: options.rounds,
      workers: 1,
      batchTokens: BATCH_TOKENS,
      speed: SPEED,
      model: basename(source.directory),
      compiledBefore: source.kind === 'bundle',
    },
    bundles,
    corpus,
    tokenizer.tokenize(corpus.texts),
  );
  for (const line of configurationLines(configuration)) say(line);
  // As a user has it: the first rows of the corpus, which are all of its kinds, because they are in random order.
  const sample = { paths: [corpus.path], limit: options.pilotRows, textField: 'text' };
  const path = join(folder, 'repeated.jsonl');
  await writeFile(path, (await readFile(corpus.path, 'utf8')).repeat(options.repeat));
  const pilotOptions = {
    policy: policyOfSpeed(SPEED, layoutOf(bundle.manifest)),
    batchTokens: BATCH_TOKENS,
    device: 'cpu',
    onNote: () => undefined,
  } as const;
  const long = join(folder, 'long.jsonl');
  const times = Math.ceil(options.costRows / corpus.texts.length);
  await writeFile(long, (await readFile(corpus.path, 'utf8')).repeat(times));
  const costs = await measureCosts(long);
  await rm(long);
  const compared: ComparedRun[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const measured = await pilotOfCorpus(bundle, sample, pilotOptions);
    // Each fleet is first and last in turn.
    for (const workers of round % 2 === 0 ? options.workers : options.workers.toReversed()) {
      const run = await runStageFleet(bundle, path, SPEED, { workers, round });
      if (run.outputSha256 !== (compared[0]?.run ?? run).outputSha256) {
        throw new Error(`The output of ${workers} workers of each stage in round ${round + 1} is another.`);
      }
      const one = {
        run,
        foretold: foretell(bundle, measured, { rows: run.rows, workers, cores: run.cores }),
      };
      compared.push(one);
      say(
        `round ${round + 1}/${options.rounds}  ${workers} of each stage: ${fixed(run.seconds, 1)} s, foretold ${fixed(one.foretold.simulation.seconds, 1)} s (${fixed(100 * errorOf(one), 1)} %), ${fixed(run.cores, 2)} cores left`,
      );
    }
  }
  await writeResult(options.out, {
    format: 1,
    bench: 'plan',
    begun,
    configuration,
    samples: [],
    summary: { compared, costs },
  });
  const tables = [finishTable(compared), stageTable(compared), besideTable(compared), costTable(costs)];
  const lines = configurationLines(configuration);
  process.stdout.write(`${[...lines, '', ...tables.flatMap(plainTable), worstError(compared)].join('\n')}\n`);
  if (options.markdown !== undefined) {
    await mkdir(dirname(options.markdown), { recursive: true });
    const text = [
      '# The capacity planner, held against fleets',
      '',
      `Measured ${begun.slice(0, 10)} by \`npm run bench:plan\`: median (least–most) over ${options.rounds} rounds. Each round begins with a`,
      `pilot of ${fixed(options.pilotRows, 0)} rows on one thread; then fleets with workers of one stage each label the rows ${options.repeat} times over. ${worstError(compared)}`,
      '',
      ...lines.map((line) => `- ${line}`),
      '',
      ...tables.flatMap(markdownTable),
    ];
    await writeFile(options.markdown, `${text.join('\n').trimEnd()}\n`);
  }
  say(`Every raw figure: ${options.out}`);
}

try {
  const options = planBenchOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  const folder = await mkdtemp(join(options.cache, 'plan-'));
  try {
    await bench(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench:plan: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
