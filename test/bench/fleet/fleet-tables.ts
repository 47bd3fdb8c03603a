import { spreadOf } from '../statistics.js';
import { fixed, spreadText } from '../view/spread-text.js';
import type { ResultTable } from '../view/table.js';
import type { BudgetFigure } from './measure-budgets.js';
import { smallestEnough } from './measure-budgets.js';
import type { FleetMemory } from './measure-memory.js';
import type { QueueCost } from './measure-queue.js';
import { CHUNK_ROWS } from './measure-queue.js';
import type { ThroughputSample, Variant } from './measure-throughput.js';

const MEBIBYTE = 2 ** 20;
const titles = {
  embedded: 'sluice label, 2 threads',
  fleet: 'fleet, 2 workers of all stages',
  stages: 'fleet, a worker for stages 1–2 and one for 3',
  'embedded, repeats': 'sluice label, 2 threads, the same tokens once',
  'fleet, repeats': 'fleet, 2 workers of all stages, the same tokens once',
} as const satisfies Record<Variant, string>;

const spread = (values: readonly number[], decimals: number): string =>
  spreadText(spreadOf(values), decimals);

const pace = ({ rows, seconds }: ThroughputSample): number => rows / seconds;

/** Throughput side by side, and as a share of that of `sluice label` in the same round. @param repeat times that the rows are in the corpus */
export function throughputTable(samples: readonly ThroughputSample[], repeat: number): ResultTable {
  return {
    title: 'Throughput on one machine',
    note: `The rows ${repeat} times over, repeated ones computed again unless told. From the first chunk read to the last committed; of the fleet, the processor time of producer and workers.`,
    columns: ['variant', 'rows/s', '× sluice label', 'CPU ms a row'],
    rows: (['embedded', 'fleet', 'stages', 'embedded, repeats', 'fleet, repeats'] as const).flatMap(
      (variant) => {
        const own = samples.filter((sample) => sample.variant === variant);
        if (own.length === 0) return [];
        const ratios = own.map((sample) => {
          const label = samples.find((each) => each.variant === 'embedded' && each.round === sample.round)!;
          return pace(sample) / pace(label);
        });
        return [
          [
            titles[variant],
            spread(own.map(pace), 0),
            spread(ratios, 3),
            spread(
              own.map(({ cpuSeconds, rows }) => (cpuSeconds * 1000) / rows),
              2,
            ),
          ],
        ];
      },
    ),
  };
}

export function answersTable(samples: readonly ThroughputSample[]): ResultTable {
  const byPlace = new Map<string, number[]>();
  for (const { answers = [] } of samples) {
    for (const [index, { address, milliseconds }] of answers.entries()) {
      const who = index < 2 ? 'producer' : 'worker';
      const place = `${who} ${new URL(address).pathname}`;
      byPlace.set(place, [...(byPlace.get(place) ?? []), ...milliseconds]);
    }
  }
  return {
    title: 'Answers while all cores infer',
    note: 'Of health and metrics, each asked every 100 ms in a run of the fleet of its own.',
    columns: ['address', 'asked', 'median ms', '99th percentile ms', 'most ms'],
    rows: Array.from(byPlace, ([place, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): string =>
        fixed(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!, 1);
      return [place, String(sorted.length), at(0.5), at(0.99), at(1)];
    }),
  };
}

export function budgetTable(
  figures: readonly BudgetFigure[],
  samples: readonly ThroughputSample[],
  length: number,
): ResultTable {
  const most = Math.max(...figures.map(({ tokensPerSecond }) => tokensPerSecond));
  const enough = smallestEnough(figures);
  const tokens = samples.flatMap(({ deepBatch }) => (deepBatch === undefined ? [] : [deepBatch.tokens]));
  return {
    title: 'Batches of the last stage',
    note: `Rows of ${length} tokens, one thread, the model alone; then what the worker of that stage ran in the fleet.`,
    columns: ['batch of at most', 'tokens/s', 'of the most'],
    rows: [
      ...figures.map(({ budget, tokensPerSecond }) => [
        `${budget} tokens${budget === enough ? ' (the smallest with 95 %)' : ''}`,
        fixed(tokensPerSecond, 0),
        `${fixed((100 * tokensPerSecond) / most, 1)} %`,
      ]),
      [
        `mean batch of the fleet: ${spread(tokens, 0)} tokens`,
        '',
        `${spread(
          tokens.map((each) => each / enough),
          2,
        )} × ${enough}`,
      ],
    ],
  };
}

export function queueTable(costs: readonly QueueCost[]): ResultTable {
  const of = (figure: (cost: QueueCost) => number): string => spread(costs.map(figure), 1);
  return {
    title: 'The queue alone',
    note: `Processor time of a row, µs: ${fixed(costs[0]!.rows, 0)} rows in chunks of ${CHUNK_ROWS}, given, stored and collected, without corpus, tokenizer, model and output.`,
    columns: ['process', 'µs a row'],
    rows: [
      ['who feeds', of(({ feeder }) => feeder)],
      ['worker', of(({ worker }) => worker)],
      ['Redis', of(({ redis }) => redis)],
      ['all', of(({ feeder, worker, redis }) => feeder + worker + redis)],
      [
        'rows a second',
        spread(
          costs.map(({ rows, seconds }) => rows / seconds),
          0,
        ),
      ],
    ],
  };
}

export function memoryTable({ series, rows, seconds, microsecondsPerRow }: FleetMemory): ResultTable {
  return {
    title: 'Memory',
    note: `${fixed(rows, 0)} short rows through the real queue to workers without a model, a quarter of the rows re-queued: ${fixed(rows / seconds, 0)} rows/s, ${fixed(microsecondsPerRow, 1)} µs of processor a row in all processes, tokenising and files included. Resident memory; of Redis, what it uses.`,
    columns: ['process', 'first quarter MiB', 'last quarter MiB', 'most MiB'],
    rows: series.map(({ name, samples }) => {
      const quarter = Math.ceil(samples.length / 4);
      const mean = (part: typeof samples): string =>
        fixed(part.reduce((sum, { bytes }) => sum + bytes, 0) / part.length / MEBIBYTE, 0);
      const most = Math.max(...samples.map(({ bytes }) => bytes)) / MEBIBYTE;
      return [name, mean(samples.slice(0, quarter)), mean(samples.slice(-quarter)), fixed(most, 0)];
    }),
  };
}
