/** Shows progress on stderr as a terminal, then ends as its argument says: by a signal, an error or an exit. */
import { labelView } from '../apps/cli/src/terminal/label-view.js';
import { LiveDisplay } from '../apps/cli/src/terminal/live-display.js';
import { plainPaint } from '../apps/cli/src/terminal/paint.js';

const display = new LiveDisplay(process.stderr, plainPaint, labelView);
display.update({
  phase: 'labelling',
  fraction: 0.5,
  rows: 1,
  rowsResumed: 0,
  rejected: 0,
  totalRows: 2,
  totalGuessed: false,
  exits: [{ layer: 1, rows: 1 }],
  layers: 1,
  elapsedMs: 0,
});

const end = process.argv[2];
if (end === 'error') throw new Error('crashed');
if (end === 'exit') process.exit(2);
if (end === 'signal-heard') process.on('SIGINT', () => process.exit(3));
process.stdout.write('ready\n');
setInterval(() => undefined, 1000);
