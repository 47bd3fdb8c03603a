import { expect, it } from 'vitest';
import { leavingShares } from './leaving-shares.js';

const exit = (...uncertainty: number[]): { probabilities: Float32Array; uncertainty: Float32Array } => ({
  probabilities: new Float32Array(2 * uncertainty.length),
  uncertainty: Float32Array.from(uncertainty),
});
const opinions = {
  rows: 4,
  classes: 2,
  exits: new Map([
    [0, exit(0.1, 0.3, 0.9, 0.9)],
    [2, exit(0.05, 0.3, 0.25, 0.9)],
    [6, exit(0, 0, 0, 0)],
  ]),
};

it('says where texts leave at each speed, and at those that are asked for', () => {
  const leaving = leavingShares(opinions, [0.25, 0.3]);
  const at = (speed: number): readonly number[] | undefined =>
    leaving.find((each) => each.speed === speed)?.shares;
  expect(at(0)).toEqual([0, 0, 1]);
  // Strictly below, as float32 compares: 0.3 leaves nowhere at 0.3.
  expect(at(0.25)).toEqual([0.25, 0, 0.75]);
  expect(at(0.3)).toEqual([0.25, 0.25, 0.5]);
  expect(at(0.4)).toEqual([0.5, 0.25, 0.25]);
  expect(at(1)).toEqual([1, 0, 0]);
  const speeds = leaving.map(({ speed }) => speed);
  expect(speeds).toEqual([...new Set(speeds)].toSorted((a, b) => a - b));
});
