import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { openBundle } from '#model/bundle/bundle.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { writeDemoCorpus } from '../demo/demo-corpus.js';
import type { Rate, SpeedUp } from '../demo/measure-speed-up.js';
import { measureSpeedUp } from '../demo/measure-speed-up.js';
import { splitAccuracy } from '../demo/split-accuracy.js';
import { choosePolicy } from '#run/choose-policy.js';
import type { LabelOptions } from '#run/label-options.js';
import { threadCount } from '../option-values.js';
import { countText } from '../terminal/quantity.js';
import { reportLines } from '../terminal/report-view.js';
import { labelWithDisplay } from './label-command.js';
import type { OutputOptions } from './output-options.js';
import { noteLine, printResult, tableLayout, withOutputOptions } from './output-options.js';

const examples = `
Examples:
  $ sluice demo
  $ sluice demo --out /tmp/sluice-demo --json`;

/** The bundle that the repository carries. */
const demoModel = fileURLToPath(new URL('../../../../../models/spam', import.meta.url));

interface DemoFlags extends OutputOptions {
  readonly out: string;
  readonly workers: number;
}

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('label 5,900 real e-mails as spam or ham, and compare with running every layer')
    .option('-o, --out <dir>', 'directory for the corpus and the labelled rows', 'sluice-demo')
    .option('--workers <n>', 'inference threads', threadCount, availableParallelism())
    .addHelpText('after', examples)
    .action(demo);
  withOutputOptions(command);
}

async function demo(flags: DemoFlags): Promise<void> {
  const corpus = join(flags.out, 'mail.jsonl');
  const out = join(flags.out, 'mail.labelled.jsonl');
  await makeFolder(flags.out);
  // A demo shows the whole run, so it starts afresh each time.
  for (const path of [out, `${out}.run`]) await rm(path, { recursive: true, force: true });
  const bundle = await openBundle(demoModel);
  await writeCorpus(corpus, flags);
  const policy = await choosePolicy(bundle.manifest, {});
  const options = demoOptions(corpus, out, flags.workers);
  const { report } = await labelWithDisplay(bundle, policy, options, flags);
  const test = await splitAccuracy(out, 'test');
  noteLine(flags, 'Measuring the same texts at full depth …');
  const speedUp = await measureSpeedUp(bundle, policy, options);
  printResult(flags, { report, test, speedUp }, () => [
    ...reportLines(report, bundle.manifest.geometry.layers, tableLayout()),
    '',
    `Held-out test mails, never seen in training: ${(test.accuracy * 100).toFixed(1)} % right of ${countText(test.rows)}`,
    ...speedUpLines(speedUp),
    '',
    ...nextSteps(corpus, out),
  ]);
}

/** Reads the mails, saying at each tenth how many. */
async function writeCorpus(path: string, flags: DemoFlags): Promise<void> {
  let tenths = 0;
  await writeDemoCorpus(path, ({ mailsRead, mails }) => {
    const reached = Math.floor((10 * mailsRead) / mails);
    if (reached === tenths) return;
    tenths = reached;
    noteLine(flags, `Reading the SpamAssassin mails: ${countText(mailsRead)} of ${countText(mails)}`);
  });
}

function demoOptions(corpus: string, out: string, workers: number): LabelOptions {
  return {
    model: demoModel,
    corpus: [corpus],
    out,
    outFormat: 'jsonl',
    compress: false,
    runDir: `${out}.run`,
    labelField: 'label',
    probabilities: false,
    spreadsheetSafe: false,
    chunkRows: 128,
    batchTokens: 1024,
    workers,
    tokenizerThreads: 1,
    survivorMemory: 256,
    dedupe: true,
    dedupeMemory: 64,
    acceptFingerprint: false,
  };
}

function speedUpLines({ early, full, ratio }: SpeedUp): string[] {
  return [
    `Early exits: ${rateRange(early)}. Every layer: ${rateRange(full)}.`,
    `${ratio.toFixed(1)} × as fast, tokenising included, measured in turn on the same threads.`,
  ];
}

function rateRange({ median, least, most }: Rate): string {
  return `${countText(Math.round(median))} texts/s (${countText(Math.round(least))}–${countText(Math.round(most))})`;
}

function nextSteps(corpus: string, out: string): string[] {
  return [
    `Look at the rows:       head -3 ${out}`,
    'See every exit think:   npx sluice predict "You have won a prize, click here" --model models/spam',
    `Trade speed for care:   npx sluice label ${corpus} --model models/spam --label-field label --policy accurate --out careful.jsonl`,
    'Label your own corpus:  npx sluice label --help',
    'Compile a checkpoint:   npx sluice compile --help',
  ];
}
