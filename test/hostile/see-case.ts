/** Runs hostile cases on the built `sluice` and notes what the user sees. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CliProcess, spamBundle } from '../run-cli.js';
import { shownCommand } from './corpus-case.js';
import type { HostileCase, HostileStep } from './hostile-case.js';
import { watchPeak } from './process-peak.js';

/** What the user saw of one command. */
export interface SeenStep {
  readonly command: string;
  readonly printed: string;
  readonly exit: number | NodeJS.Signals;
  readonly rows: number | undefined;
  readonly rowsOut: number | undefined;
  readonly rejects: readonly RejectLine[];
  /** As asked for, not as measured. */
  readonly peakMiB: number | undefined;
}

export interface RejectLine {
  readonly row: number;
  readonly reason: string;
  readonly message: string;
}

/** Makes the input, runs the commands and expects of each what the case says. */
export async function seeCase(given: HostileCase): Promise<SeenStep[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-hostile-'));
  const seen: SeenStep[] = [];
  try {
    await given.make(folder);
    for (const step of given.steps) seen.push(await seeStep(folder, step));
    await given.check?.(folder);
  } finally {
    await given.unmake?.(folder);
    await rm(folder, { recursive: true, force: true });
  }
  return seen;
}

async function seeStep(folder: string, step: HostileStep): Promise<SeenStep> {
  await step.before?.(folder);
  const child = new CliProcess(step.args, {
    cwd: folder,
    ...(step.env && { env: step.env }),
    ...(step.under && { under: step.under(folder) }),
  });
  const peak = watchPeak(child.pid, child.ended);
  await step.meanwhile?.(folder, (what) => child.said(what));
  const { end, stderr } = await child.ended;
  const written = step.foundIn?.(folder) ?? folder;
  const problem = plain(withoutProgress(stderr), folder);
  const label = step.args[0] === 'label';
  const rejects = label && end === 0 ? await rejectLines(written, step.args) : [];
  const printed = [problem, ...summaryOf(rejects, folder)].filter((line) => line !== '').join('\n');

  expect
    .soft({ exit: end, stack: /^ +at /m.test(stderr) }, printed)
    .toEqual({ exit: step.exit, stack: false });
  if (step.says) expect.soft(printed).toMatch(step.says);
  if (step.peakMiB !== undefined) expect.soft((await peak) ?? 0, 'peak MiB').toBeLessThan(step.peakMiB);
  let rowsOut: number | undefined;
  if (step.rows !== undefined) {
    rowsOut = await rowsIn(join(written, outOf(step.args)));
    expect.soft(countOf(rejects)).toEqual(step.rejects ?? {});
    expect.soft(rowsOut + rejects.length, 'rows out + rejected').toBe(step.rows);
  }
  return {
    command: shownCommand(step.args),
    printed,
    exit: end,
    rows: step.rows,
    rowsOut,
    rejects: rejects.map((reject) => ({ ...reject, message: plain(reject.message, folder) })),
    peakMiB: step.peakMiB,
  };
}

/** Standard error without the lines of progress, which say something else each time. */
function withoutProgress(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !/^(verifying|labelling|merging|finished): |^… /.test(line))
    .join('\n')
    .trim();
}

/** Without what differs between machines, versions of Node, and bundles. */
function plain(text: string, folder: string): string {
  return text
    .replaceAll(`${folder}/`, '')
    .replaceAll(folder, '.')
    .replaceAll(spamBundle, 'models/spam')
    .replaceAll(/\b(run-\d+-)?[0-9a-f]{8}\.(?=sluice-tmp|lock)/g, '….')
    .replaceAll(/(JSON(?: object)?): [^\n]*/g, '$1: …')
    .replaceAll(/\b[0-9a-f]{64}\b|\b\d\.\d{5,}\b/g, '…')
    .replaceAll(/(write '[^']*\.run\/)[^']*/g, '$1…')
    .replaceAll(/\b(byte|out of) \d+/g, '$1 …');
}

async function rejectLines(folder: string, args: readonly string[]): Promise<RejectLine[]> {
  const text = await readFile(join(folder, `${outOf(args)}.run/rejects.jsonl`), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line): RejectLine => JSON.parse(line));
}

/** One reject of each reason as the file of rejects tells it. */
function summaryOf(rejects: readonly RejectLine[], folder: string): string[] {
  const firsts = new Map<string, RejectLine>();
  for (const reject of rejects) if (!firsts.has(reject.reason)) firsts.set(reject.reason, reject);
  return Array.from(firsts.values(), ({ row, reason, message }) =>
    plain(`row ${row}: ${reason}: ${message}`, folder),
  );
}

function countOf(rejects: readonly RejectLine[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejects) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function outOf(args: readonly string[]): string {
  return args[args.lastIndexOf('--out') + 1]!;
}

/** Rows of a jsonl or csv output; none of the corpora here has a line feed inside a field. */
async function rowsIn(path: string): Promise<number> {
  const lines = (await readFile(path, 'utf8')).split('\n').length - 1;
  return path.endsWith('.csv') ? lines - 1 : lines;
}
