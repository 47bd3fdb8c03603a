/** A toy run over a fleet in a process of its own, which kills itself at the n-th step of a name: `url folder step n`. */
import type { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import { killAtStep } from '../kill-at-step.js';
import { toyRun } from '../toy-run.js';
import type { OpenFleet } from './toy-fleet.js';
import { openFleet } from './toy-fleet.js';

const [url = '', folder = '', deadly = '', nth = '1'] = process.argv.slice(2);
const onStep = killAtStep(deadly, Number(nth));
let fleet: OpenFleet | undefined;
await toyRun({
  folder,
  open: { onStep },
  fleet: async (run: RunDirectory) => {
    fleet = openFleet({ url }, run.record.id, { nextEpoch: await run.openEpochs(), onStep });
    return fleet.labeller;
  },
  options: { chunksInFlight: 8 },
});
await fleet?.close();
