import { expect, it } from 'vitest';
import type { LabelProgress } from '#run/label-progress.js';
import { labelView } from './label-view.js';
import { LineDisplay } from './line-display.js';
import { openDisplay } from './open-display.js';

const start: LabelProgress = {
  phase: 'labelling',
  fraction: 0,
  rows: 0,
  rowsResumed: 0,
  rejected: 0,
  totalRows: 1000,
  totalGuessed: false,
  exits: [],
  layers: 6,
  elapsedMs: 0,
};

class Output {
  text = '';
  readonly isTTY: boolean;
  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
  on(): void {}
  off(): void {}
}

it('writes a line at each phase, each tenth of the labelling and every 10 s', () => {
  const output = new Output();
  let now = 0;
  const display = new LineDisplay(output, labelView, () => now);
  const at = (milliseconds: number, progress: Partial<LabelProgress>): void => {
    now = milliseconds;
    display.update({ ...start, ...progress });
  };
  at(0, {});
  at(1, { rows: 1, fraction: 0.001 });
  at(2, { rows: 101, fraction: 0.101 });
  at(3, { rows: 199, fraction: 0.199 });
  at(10_002, { rows: 199, fraction: 0.199 });
  at(10_003, { rows: 199, fraction: 0.199 });
  display.note('one warning');
  at(10_004, { phase: 'merging', rows: 1000, fraction: 0 });
  at(10_005, { phase: 'merging', rows: 1000, fraction: 0.5 });
  at(20_004, { phase: 'merging', rows: 1000, fraction: 0.9 });
  display.close();
  expect(output.text.split('\n')).toEqual([
    'labelling: 0 %, 0 of 1,000 rows',
    'labelling: 10 %, 101 of 1,000 rows',
    'labelling: 19 %, 199 of 1,000 rows',
    'one warning',
    'merging: 0 %, 1,000 of 1,000 rows',
    'merging: 90 %, 1,000 of 1,000 rows',
    '',
  ]);
});

it.each([
  ['a pipe', new Output(), {}, false, 'labelling: 0 %, 0 of 1,000 rows\nnote\n'],
  ['a dumb terminal', new Output(true), { TERM: 'dumb' }, false, 'labelling: 0 %, 0 of 1,000 rows\nnote\n'],
  ['quiet mode on a pipe', new Output(), {}, true, ''],
  ['quiet mode on a terminal', new Output(true), {}, true, ''],
])('shows on %s what suits it', (_, output, env, silent, expected) => {
  const display = openDisplay(output, env, silent, labelView);
  display.update(start);
  display.note('note');
  display.close('finished');
  expect(output.text).toBe(expected);
});
