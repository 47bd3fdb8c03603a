/** One toy run in a process of its own, which kills itself at the n-th step of a name: `folder step n`. */
import { toyRun } from './toy-run.js';

const [folder = '', deadly = '', nth = '1'] = process.argv.slice(2);
let seen = 0;

await toyRun({
  folder,
  open: {
    onStep: (step) => {
      if (step !== deadly && deadly !== 'any') return;
      seen += 1;
      if (seen < Number(nth)) return;
      process.kill(process.pid, 'SIGKILL');
      // Nothing may happen between the signal and its arrival.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
});
