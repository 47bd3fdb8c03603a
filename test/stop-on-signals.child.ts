/** Stops on the first signal, as `sluice label` does, but has something else to do for a long time. */
import { stopOnSignals } from '../apps/cli/src/label/stop-on-signals.js';

const stop = stopOnSignals();
stop.signal.addEventListener('abort', () => {
  stop.release();
  process.stdout.write('stopping\n');
});
if (process.argv[2] === 'released') stop.release();
process.stdout.write('ready\n');
setInterval(() => undefined, 1000);
