/** `npm run bench:peers`: see --help. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from '#run/usage-error.js';
import { benchConfiguration } from '../configuration.js';
import type { BenchResult, Sample } from '../result-file.js';
import { writeResult } from '../result-file.js';
import { runRounds } from '../run-rounds.js';
import { chooseSource } from '../source.js';
import type { Observation, RowLabels } from '../variants/variant.js';
import { configurationLines } from '../view/configuration-lines.js';
import { plainTable } from '../view/plain-tables.js';
import type { PeersOptions } from './options.js';
import { peersOptions } from './options.js';
import { checkAgreement, recordedChecks } from './peer-checks.js';
import { allNames, fullDepth, peersAndSluice } from './peers-and-sluice.js';
import type { PeersConfiguration } from './peers-configuration.js';
import { peersConfiguration, peersConfigurationLines } from './peers-configuration.js';
import type { PeersSummary } from './peers-summary.js';
import { summarisePeers } from './peers-summary.js';
import { peersTables } from './peers-tables.js';
import { openCheckpoint, prepareTools, prepareWork } from './prepare.js';
import { writePeersMarkdown } from './write-peers-markdown.js';

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function benchPeers(options: PeersOptions, folder: string): Promise<void> {
  const begun = new Date().toISOString();
  const unknown = options.only?.find((name) => !allNames.includes(name));
  if (unknown !== undefined) throw new UsageError(`There is no variant ${unknown}. --help lists them.`);
  const source = await chooseSource(options, say);
  const checkpoint = await openCheckpoint(source);
  const tools = await prepareTools(options, checkpoint, say);
  const work = await prepareWork(options, checkpoint, source.files, folder, say);
  const variants = peersAndSluice(tools).filter(
    ({ name, bundle }) => (options.only?.includes(name) ?? true) && work.bundles.has(bundle),
  );
  const { rounds } = options;
  const { bundles, corpus, tokens, workers, batchTokens, speed } = work;
  const common = await benchConfiguration(
    { rounds, workers, batchTokens, speed, model: basename(source.directory), compiledBefore: false },
    bundles,
    corpus,
    tokens,
  );
  for (const line of configurationLines(common)) say(line);
  const { samples, first } = await runRounds(variants, rounds, work, (sample) =>
    say(sampleLine(sample, rounds)),
  );
  const configuration = await peersConfiguration(common, tools, checkpoint.config.maxLength);
  const checks = [EVERY_SAMPLE, ...recordedChecks(first), ...checkAgreement(labelsOf(first), fullDepth.name)];
  const summary = { ...summarisePeers(variants, samples), checks };
  await hand(options, { format: 1, bench: 'peers', begun, configuration, samples, summary });
}

const EVERY_SAMPLE = 'every sample: rows in = rows out, and the label of every row as in the first round';

function labelsOf(first: ReadonlyMap<string, Observation>): Map<string, RowLabels> {
  return new Map([...first].flatMap(([name, { labels }]) => (labels === undefined ? [] : [[name, labels]])));
}

async function hand(
  options: PeersOptions,
  result: BenchResult<PeersConfiguration, PeersSummary>,
): Promise<void> {
  await writeResult(options.out, result);
  const tables = peersTables(result.summary);
  if (options.markdown !== undefined) await writePeersMarkdown(options.markdown, result, tables);
  const text = [
    ...peersConfigurationLines(result.configuration),
    '',
    ...tables.flatMap(plainTable),
    'Checked',
    ...result.summary.checks,
    '',
  ];
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : text.join('\n'));
  say(`Every raw sample: ${options.out}`);
}

function sampleLine(
  { variant, round, wallSeconds, cpuSeconds, rows, process }: Sample,
  rounds: number,
): string {
  const rate = (rows / wallSeconds).toFixed(0).padStart(7);
  return (
    `round ${round + 1}/${rounds}  ${variant.padEnd(22)} ${rate} texts/s  ${wallSeconds.toFixed(2)} s, ` +
    `processor ${cpuSeconds.toFixed(2)} s; whole process ${process.wallSeconds.toFixed(2)} s`
  );
}

try {
  const options = peersOptions(process.argv.slice(2));
  await mkdir(options.cache, { recursive: true });
  // On the project's disk: a folder for temporary files may be memory, where commits cost nothing.
  const folder = await mkdtemp(join(options.cache, 'run-'));
  try {
    await benchPeers(options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    say(`bench:peers: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }
}
