import { describe, expect, it } from 'vitest';
import type { ExitColumns } from '../columns.js';
import { readDepartures, StageContractError, SURVIVED } from './stage-departures.js';

const exit = (layer: number, rows: number[], uncertainty: number[]): ExitColumns => ({
  layer,
  rows: Int32Array.from(rows),
  uncertainty: Float32Array.from(uncertainty),
  probabilities: new Float32Array(rows.length * 2),
});

const result = (exits: ExitColumns[], survivors: number[]) => ({
  exits,
  survivors: { rows: Int32Array.from(survivors), hidden: new Float32Array(survivors.length) },
  seconds: 0,
});

describe('readDepartures', () => {
  it('lets a row leave where its uncertainty is below the threshold, compared as float32', () => {
    const exits = [exit(1, [0, 1, 2], [0.1, 0.05, 0.3]), exit(2, [0, 2], [0.2, 0.19])];
    const departures = readDepartures(result(exits, [0]), 3, Float32Array.of(0.1, 0.2), false);
    expect([...departures.exit]).toEqual([SURVIVED, 0, 1]);
    expect([...departures.at]).toEqual([0, 1, 1]);
  });

  it('gives the last exit of the model every row', () => {
    const departures = readDepartures(result([exit(6, [0, 1], [0.9, 1])], []), 2, Float32Array.of(0), true);
    expect([...departures.exit]).toEqual([0, 0]);
  });

  it.each([
    ['loses a row', [exit(1, [0, 1], [0.5, 0.5])], [0]],
    ['keeps a row that left', [exit(1, [0, 1], [0.5, 0.01])], [0, 1]],
    ['doubles a survivor', [exit(1, [0, 1], [0.5, 0.5])], [0, 0]],
    ['invents a row', [exit(1, [0, 1], [0.5, 0.5])], [0, 7]],
    ['has another number of exits', [], [0, 1]],
  ])('refuses a stage that %s', (_, exits, survivors) => {
    expect(() => readDepartures(result(exits, survivors), 2, Float32Array.of(0.1), false)).toThrow(
      StageContractError,
    );
  });
});
