import { spreadOf } from '../statistics.js';
import { fixed, spreadText } from '../view/spread-text.js';
import type { ResultTable } from '../view/table.js';
import type { Foretold } from './foretell.js';
import type { BesideCosts } from './measure-costs.js';
import type { FleetRun } from './run-stage-fleet.js';

/** A run, and what was foretold of it from the pilot of its round. */
export interface ComparedRun {
  readonly run: FleetRun;
  readonly foretold: Foretold;
}

const spread = (values: readonly number[], decimals: number, unit = ''): string =>
  spreadText(spreadOf(values), decimals, unit);

/** Foretold ÷ measured − 1, of one run. */
export const errorOf = ({ run, foretold }: ComparedRun): number =>
  foretold.simulation.seconds / run.seconds - 1;

function byWorkers(compared: readonly ComparedRun[]): [workers: number, compared: ComparedRun[]][] {
  const counts = [...new Set(compared.map(({ run }) => run.workers))].sort((a, b) => a - b);
  return counts.map((workers) => [workers, compared.filter(({ run }) => run.workers === workers)]);
}

export function finishTable(compared: readonly ComparedRun[]): ResultTable {
  return {
    title: 'Foretold and measured',
    note: 'From the first chunk read to the last committed; the fleet shares the cores of this machine that other processes left to it.',
    columns: ['workers of each stage', 'cores left', 'foretold s', 'measured s', 'error'],
    rows: byWorkers(compared).map(([workers, each]) => [
      String(workers),
      spread(
        each.map(({ run }) => run.cores),
        2,
      ),
      spread(
        each.map(({ foretold }) => foretold.simulation.seconds),
        1,
      ),
      spread(
        each.map(({ run }) => run.seconds),
        1,
      ),
      spread(
        each.map((one) => 100 * errorOf(one)),
        1,
        ' %',
      ),
    ]),
  };
}

export function stageTable(compared: readonly ComparedRun[]): ResultTable {
  const stages = compared[0]!.run.stages.length;
  return {
    title: 'Stage by stage',
    note: 'Share of the rows that enter, processor time of the workers for each of them, foretold → measured; tokens of a batch, measured.',
    columns: ['workers of each stage', 'stage', 'share', 'ms a row', 'tokens a batch'],
    rows: byWorkers(compared).flatMap(([workers, each]) =>
      Array.from({ length: stages }, (_, stage) => [String(workers), ...stageCells(each, stage)]),
    ),
  };
}

function stageCells(compared: readonly ComparedRun[], stage: number): string[] {
  const pair = (foretold: (one: Foretold) => number, measured: (run: FleetRun) => number): string =>
    [
      spread(
        compared.map((one) => foretold(one.foretold)),
        3,
      ),
      spread(
        compared.map((one) => measured(one.run)),
        3,
      ),
    ].join(' → ');
  return [
    String(stage + 1),
    pair(
      ({ loads }) => loads[stage]!.reach.share,
      ({ stages, rows }) => stages[stage]!.rows / rows,
    ),
    pair(
      ({ simulation }) => (1000 * simulation.stages[stage]!.busySeconds) / simulation.stages[stage]!.rows,
      ({ stages }) => (1000 * stages[stage]!.cpuSeconds) / stages[stage]!.rows,
    ),
    spread(
      compared.map(({ run }) => run.stages[stage]!.tokens / run.stages[stage]!.batches),
      0,
    ),
  ];
}

/** What `measuredCosts` of the planner stands on. */
export function costTable({ producer, merge, send, get, redis }: BesideCosts): ResultTable {
  return {
    title: 'What the planner counts beside the model',
    note: 'Processor time of a warm producer with workers that have no model, and of activations through Redis, with an append-only file.',
    columns: ['', 'time'],
    rows: [
      ['producer, a row: read, give, collect, format, commit', `${fixed(producer, 1)} µs`],
      ['producer, a row: merge', `${fixed(merge, 1)} µs`],
      ['worker, a byte of activations sent', `${fixed(send, 2)} ns`],
      ['worker, a byte of activations got', `${fixed(get, 2)} ns`],
      ['Redis, a byte of activations in and out', `${fixed(redis, 2)} ns`],
    ],
  };
}

/** Of whole runs, with the start of every process. */
export function besideTable(compared: readonly ComparedRun[]): ResultTable {
  const of = (figure: (run: FleetRun) => number): string =>
    spread(
      compared.map(({ run }) => figure(run)),
      1,
    );
  return {
    title: 'Beside the model',
    note: 'Processor time for a row of the corpus, µs.',
    columns: ['process', 'µs a row'],
    rows: [
      [
        'producer: read, give, collect, format, commit, merge',
        of((run) => (1e6 * run.producerSeconds) / run.rows),
      ],
      ['Redis', of((run) => (1e6 * run.redisSeconds) / run.rows)],
      [
        'workers, beyond their models',
        of(
          (run) =>
            (1e6 * run.stages.reduce((sum, each) => sum + each.cpuSeconds - each.modelSeconds, 0)) / run.rows,
        ),
      ],
    ],
  };
}

export function worstError(compared: readonly ComparedRun[]): string {
  const worst = Math.max(...compared.map((one) => Math.abs(errorOf(one))));
  return `The largest error of a run is ${fixed(100 * worst, 1)} %.`;
}
