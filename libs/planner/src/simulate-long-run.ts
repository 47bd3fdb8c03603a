import type { SimulatedFleet, Simulation } from './simulate-fleet.js';
import { simulateFleet } from './simulate-fleet.js';

/**
 * Plays a run through; a long one only at its begin, with some chunks and with twice as many, and takes the rest to go on
 * like the second half of these. What there was at most, and how full batches were, is that of what was played.
 * @param chunks a run of more than twice as many is a long one
 */
export function simulateLongRun(fleet: SimulatedFleet, chunks: number): Simulation {
  const { rows, chunkRows, producers, stages } = fleet;
  const part = chunks * chunkRows;
  if (rows <= 2 * part) return simulateFleet(fleet);
  const [half, whole] = [
    simulateFleet({ ...fleet, rows: part }),
    simulateFleet({ ...fleet, rows: 2 * part }),
  ];
  const times = (rows - 2 * part) / part;
  const onward = (figure: (run: Simulation) => number): number =>
    figure(whole) + (figure(whole) - figure(half)) * times;
  // By when the chunks were given out: the tails of two runs differ by chance, and that would be taken for pace.
  const feedSeconds = onward((run) => run.feedSeconds);
  const seconds = feedSeconds + whole.seconds - whole.feedSeconds;
  const producerSeconds = onward((run) => run.producerUtilisation * run.seconds * producers);
  return {
    rows,
    chunks: Math.ceil(rows / chunkRows),
    seconds,
    feedSeconds,
    producerUtilisation: producerSeconds / (seconds * producers),
    chunksMost: whole.chunksMost,
    stages: stages.map(({ replicas, threads }, index) => {
      const busySeconds = onward((run) => run.stages[index]!.busySeconds);
      return {
        ...whole.stages[index]!,
        rows: Math.round(onward((run) => run.stages[index]!.rows)),
        busySeconds,
        utilisation: busySeconds / (seconds * replicas * threads),
      };
    }),
  };
}
