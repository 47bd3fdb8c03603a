import { describe, expect, it } from 'vitest';
import { unservedStages } from './missing-workers.js';

const worker = (
  stages: readonly number[],
  fingerprint = 'cpu',
): Parameters<typeof unservedStages>[1][number] => ({
  id: 'w',
  host: 'h',
  bundle: 'b',
  fingerprint,
  stages: stages.map((stage) => ({ stage, jobs: 0, rows: 0, rowsRun: 0, seconds: 0 })),
});

describe('unservedStages', () => {
  it.each([
    ['all are served', [worker([0]), worker([1, 2])], undefined],
    [
      'one is not',
      [worker([0]), worker([1])],
      'No worker serves stage 3 of the model spam now; the run goes on when one does.',
    ],
    [
      'two are not',
      [worker([1])],
      'No worker serves stages 1, 3 of the model spam now; the run goes on when one does.',
    ],
    ['there are no workers', [], 'No worker serves the model spam now; the run goes on when one does.'],
    [
      'workers have another runtime',
      [worker([0, 1, 2], 'cuda')],
      'No worker serves the model spam now; the run goes on when one does.',
    ],
  ])('%s', (_, workers, told) => {
    expect(unservedStages('spam', workers, ['cpu'], 3)).toBe(told);
  });
});
