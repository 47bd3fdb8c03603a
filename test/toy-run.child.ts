/** One toy run in a process of its own, which kills itself at the n-th step of a name: `folder step n`. */
import { killAtStep } from './kill-at-step.js';
import { toyRun } from './toy-run.js';

const [folder = '', deadly = '', nth = '1'] = process.argv.slice(2);
await toyRun({ folder, open: { onStep: killAtStep(deadly, Number(nth)) } });
