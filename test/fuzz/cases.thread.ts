/** Runs fuzz cases; the number of the one that runs is in shared memory, where it can be read while this hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FuzzOutcome } from './fuzz-case.js';
import { fuzzCase, targetOf } from './fuzz-case.js';
import { fuzzTargets } from './targets.js';

export interface CasesTask {
  readonly fixtures: string;
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  /** One integer: the case that runs. */
  readonly running: Int32Array;
}

/** Of all cases of a target. */
export interface TargetCounts {
  readonly target: string;
  read: number;
  refused: number;
  slowestMs: number;
}

export type CasesMessage =
  | { readonly wrong: { readonly number: number; readonly target: string; readonly problem: string } }
  | { readonly done: readonly TargetCounts[] };

const { fixtures, seed, first, end, running }: CasesTask = workerData;
const port = parentPort!;
const targets = await fuzzTargets(fixtures);
const counts = targets.map(({ name }): TargetCounts => ({ target: name, read: 0, refused: 0, slowestMs: 0 }));
for (let number = first; number < end; number += 1) {
  Atomics.store(running, 0, number);
  const begun = performance.now();
  const outcome: FuzzOutcome = await fuzzCase(targets, seed, number);
  const target = targetOf(targets, number);
  const count = counts[targets.indexOf(target)]!;
  count.slowestMs = Math.max(count.slowestMs, performance.now() - begun);
  if (outcome.kind === 'wrong') tell({ wrong: { number, target: target.name, problem: outcome.problem } });
  else count[outcome.kind] += 1;
}
tell({ done: counts });

function tell(message: CasesMessage): void {
  port.postMessage(message);
}
