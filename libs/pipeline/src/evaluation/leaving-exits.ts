import type { ExitPolicy } from '../exit-policy.js';
import { stagePolicy } from '../exit-policy.js';
import type { OpinionColumns } from './opinion-columns.js';

/**
 * Where each row would leave: the first exit whose uncertainty is below its threshold, in float32 as the graphs
 * compare, or the last.
 *
 * @returns index of the exit among `opinions.exits`, `[rows]`
 * @throws PolicyError when the policy lacks an exit
 */
export function leavingExits({ rows, exits }: OpinionColumns, policy: ExitPolicy): Uint8Array {
  const layers = exits.map(({ layer }) => layer);
  const thresholds = stagePolicy(policy, layers);
  const last = exits.length - 1;
  const leaving = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    let exit = 0;
    while (exit < last && !(exits[exit]!.uncertainty[row]! < thresholds[exit]!)) exit += 1;
    leaving[row] = exit;
  }
  return leaving;
}
