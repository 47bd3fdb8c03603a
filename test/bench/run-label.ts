import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../project-folder.js';
import type { ProcessUsage } from './process-usage.js';

export interface LabelArguments {
  readonly corpus: string;
  readonly bundle: string;
  /** Or a file of thresholds. */
  readonly speed: number | string;
  readonly workers: number;
  readonly batchTokens: number;
  /** For the output and the run directory; made anew. */
  readonly folder: string;
  /** Also the probabilities. */
  readonly probabilities?: boolean;
  /** Whether repeated texts are computed once; default true. */
  readonly dedupe?: boolean;
}

export interface LabelledFile {
  /** Of the output. */
  readonly path: string;
  readonly sha256: string;
  /** Rows labelled in the session, and the seconds from the first row read to the last commit. */
  readonly rows: number;
  readonly seconds: number;
  /** From the start of the process to its end. */
  readonly wallSeconds: number;
  /** From the start of the process to the first committed chunk. */
  readonly firstLabelSeconds: number;
  readonly usage: ProcessUsage;
}

/** `sluice label` did not end well; what it printed tells why. */
export class LabelFailedError extends Error {
  override readonly name = 'LabelFailedError';
}

/** How `sluice label` is watched while it runs. */
export interface LabelWatch {
  readonly everyMs: number;
  /** @param committed chunks that are committed, as far as they are still kept one by one */
  look(pid: number, seconds: number, committed: number): void;
}

/** How often a run directory is looked into until its first chunk is committed, ms. */
const FIRST_LABEL_POLL_MS = 5;

/** Runs the real `sluice label` from file to file in a fresh process. @throws LabelFailedError */
export async function runLabel(args: LabelArguments, watch?: LabelWatch): Promise<LabelledFile> {
  await rm(args.folder, { recursive: true, force: true });
  await mkdir(args.folder, { recursive: true });
  const path = join(args.folder, 'out.jsonl');
  const usagePath = join(args.folder, 'usage.json');
  const begun = performance.now();
  const since = (): number => (performance.now() - begun) / 1000;
  const child = spawn(process.execPath, [...nodeArguments, 'label', args.corpus, ...labelFlags(args, path)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SLUICE_BENCH_USAGE: usagePath },
  });
  const closed = once(child, 'close');
  let firstLabelSeconds: number | undefined;
  const poll = setInterval(() => {
    if (committedChunks(path) === 0) return;
    firstLabelSeconds = since();
    clearInterval(poll);
  }, FIRST_LABEL_POLL_MS);
  const looks =
    watch && setInterval(() => watch.look(child.pid ?? 0, since(), committedChunks(path)), watch.everyMs);
  const [code, signal]: unknown[] = await closed.finally(() => {
    clearInterval(poll);
    clearInterval(looks);
  });
  const wallSeconds = since();
  if (code !== 0) throw new LabelFailedError(`sluice label ended with ${String(signal ?? code)}.`);
  const usage: ProcessUsage = JSON.parse(await readFile(usagePath, 'utf8'));
  const { sha256 }: { sha256: string } = JSON.parse(await readFile(`${path}.run/_SUCCESS`, 'utf8'));
  const report: { lastSession: { rows: number; seconds: number } } = JSON.parse(
    await readFile(`${path}.run/report.json`, 'utf8'),
  );
  return {
    path,
    sha256,
    ...report.lastSession,
    wallSeconds,
    // The end of the run removes the chunks, a short one's within a poll.
    firstLabelSeconds: firstLabelSeconds ?? wallSeconds,
    usage,
  };
}

const nodeArguments = [
  '--import',
  new URL('children/usage.preload.js', import.meta.url).href,
  join(projectFolder, 'apps/cli/bin/sluice.js'),
];

function labelFlags(
  { bundle, speed, workers, batchTokens, probabilities = false, dedupe = true }: LabelArguments,
  out: string,
): string[] {
  const policy = typeof speed === 'string' ? { policy: speed } : { speed };
  const values = { model: bundle, out, ...policy, workers, 'batch-tokens': batchTokens };
  return [
    '--quiet',
    ...(probabilities ? ['--probabilities'] : []),
    ...(dedupe ? [] : ['--no-dedupe']),
    ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}

function committedChunks(out: string): number {
  try {
    return readdirSync(`${out}.run/chunks`).filter((name) => name.endsWith('.ok')).length;
  } catch {
    return 0;
  }
}
