/** Hears of a stop and never comes to its end: what a process is like whose last batch takes for ever. */
import { stopOnSignals } from '../apps/cli/src/label/stop-on-signals.js';

const { signal } = stopOnSignals();
signal.addEventListener('abort', () => console.log('stopping'));
setInterval(() => undefined, 1000);
console.log('ready');
