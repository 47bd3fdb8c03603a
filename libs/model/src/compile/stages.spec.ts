import { describe, expect, it } from 'vitest';
import { checkpointShape, configJson } from '../../../../test/random-checkpoint.js';
import { parseCheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { planStages, StageError } from './stages.js';

const config = parseCheckpointConfig('config.json', configJson(checkpointShape({ layers: 6 })));
const all = new Set([0, 1, 2, 3, 4, 5, 6]);

describe('planStages', () => {
  it('cuts after the layers named', () => {
    expect(planStages(config, [2, 4], all)).toEqual([
      { embeds: true, layers: [1, 2], exits: [0, 1, 2] },
      { embeds: false, layers: [3, 4], exits: [3, 4] },
      { embeds: false, layers: [5, 6], exits: [5, 6] },
    ]);
  });

  it('lets exit 0 stand alone', () => {
    expect(planStages(config, [0, 2], all)).toEqual([
      { embeds: true, layers: undefined, exits: [0] },
      { embeds: false, layers: [1, 2], exits: [1, 2] },
      { embeds: false, layers: [3, 6], exits: [3, 4, 5, 6] },
    ]);
  });

  it('makes one stage of everything', () => {
    expect(planStages(config, [], all)).toEqual([
      { embeds: true, layers: [1, 6], exits: [0, 1, 2, 3, 4, 5, 6] },
    ]);
  });

  it('keeps the exits asked for, the teacher always; a stage may have none', () => {
    expect(planStages(config, [2, 4], new Set([1]))).toEqual([
      { embeds: true, layers: [1, 2], exits: [1] },
      { embeds: false, layers: [3, 4], exits: [] },
      { embeds: false, layers: [5, 6], exits: [6] },
    ]);
  });

  it.each([[[6]], [[7]], [[-1]], [[2, 2]], [[4, 2]], [[1.5]], [[Number.NaN]]])('refuses ends %j', (ends) => {
    expect(() => planStages(config, ends, all)).toThrow(StageError);
    expect(() => planStages(config, ends, all)).toThrow(/ascending layers from 0 to 5, such as 2,4; got/);
  });

  it('refuses an exit that the checkpoint does not have', () => {
    expect(() => planStages(config, [2], new Set([1, 9]))).toThrow(
      /no exit 9; the checkpoint has exits 0, 1, 2/,
    );
  });

  it('refuses a first stage of exit 0 without exit 0', () => {
    expect(() => planStages(config, [0, 2], new Set([1, 6]))).toThrow(/exit 0 is not among the exits/);
  });
});
