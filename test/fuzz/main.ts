/** `npm run fuzz`: see --help. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Command, InvalidArgumentError } from 'commander';
import { projectFolder } from '../project-folder.js';
import type { CasesMessage, CasesTask, TargetCounts } from './cases.thread.js';

/** Cases take milliseconds. */
const HANGS_MS = 20_000;
const WATCH_MS = 500;
/** Above what the process has before the first case: the readers' bound of 200 MB, and the collector's slack. */
const MOST_MIB = 300;
const MIB = 2 ** 20;
const KIB = 2 ** 10;

interface FuzzFlags {
  readonly cases: number;
  readonly seed: number;
  readonly only?: number;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('A whole number is expected.');
  return number;
}

const flags = new Command('fuzz')
  .description(
    'read mutated weights, indices, configurations and tokenizers: none may crash, hang or take much memory',
  )
  .option('--cases <n>', 'how many', wholeNumber, 21_000)
  .option('--seed <n>', 'of the mutations', wholeNumber, 1)
  .option('--only <case>', 'this case alone', wholeNumber)
  .addHelpText(
    'after',
    `
Examples:
  $ npm run fuzz
  $ npm run fuzz -- --seed 7 --cases 100000
  $ npm run fuzz -- --seed 7 --only 4711        # a case that was told of`,
  )
  .parse()
  .opts<FuzzFlags>();

const running = new Int32Array(new SharedArrayBuffer(4));
const task: CasesTask = {
  fixtures: join(projectFolder, 'test/fixtures'),
  seed: flags.seed,
  first: flags.only ?? 0,
  end: flags.only === undefined ? flags.cases : flags.only + 1,
  running,
};
const before = process.memoryUsage().rss;
const problems: string[] = [];
const counts = await runCases();
const peak = (process.resourceUsage().maxRSS * KIB - before) / MIB;
if (peak > MOST_MIB) problems.push(`memory grew by ${peak.toFixed(0)} MiB; ${MOST_MIB} are the bound.`);

for (const { target, read, refused, slowestMs } of counts) {
  console.log(`${target}: ${read} read, ${refused} refused, the slowest in ${slowestMs.toFixed(0)} ms`);
}
console.log(
  `seed ${flags.seed}, cases ${task.first} to ${task.end - 1}: ${problems.length} wrong; memory grew by ${peak.toFixed(0)} MiB at most`,
);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** @returns nothing where a case hangs: it is among the problems then */
async function runCases(): Promise<readonly TargetCounts[]> {
  const worker = new Worker(new URL('./cases.thread.js', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    let last = -1;
    let since = performance.now();
    const watch = setInterval(() => {
      const number = Atomics.load(running, 0);
      if (number !== last) [last, since] = [number, performance.now()];
      else if (performance.now() - since > HANGS_MS) {
        problems.push(`case ${number} hangs.`);
        clearInterval(watch);
        void worker.terminate().then(() => resolve([]));
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${number} of ${task.end} `);
    }, WATCH_MS);
    worker.on('message', (message: CasesMessage) => {
      if ('done' in message) {
        clearInterval(watch);
        resolve(message.done);
        return;
      }
      const { number, target, problem } = message.wrong;
      problems.push(`case ${number} (${target}): ${problem}`);
    });
    worker.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
  });
}
