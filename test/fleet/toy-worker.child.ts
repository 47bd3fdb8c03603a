/**
 * A toy worker in a process of its own, `url options step n`, which kills itself at the n-th step of a name; with no
 * arguments, the quarantine of one.
 */
import { rowLengths } from '#pipeline/engine/select-rows.js';
import { serveQuarantine } from '#pipeline/fleet/quarantine-process.js';
import { killAtStep } from '../kill-at-step.js';
import { ToyTokenizer } from '../toy-ports.js';
import type { ToyWorkerOptions } from './toy-fleet.js';
import { openToyWorker } from './toy-fleet.js';
import { ToyStages, toyLayout } from './toy-stages.js';

const [url, json = '{}', deadly = '', nth = '1'] = process.argv.slice(2);
if (url === undefined) {
  const all = new ToyStages(toyLayout.stages.length - 1, 0);
  serveQuarantine(async ({ input }) => {
    const tokens = input.kind === 'texts' ? await new ToyTokenizer().tokenize(input.texts) : input.tokens;
    const { labels } = await all.run({ tokens });
    return { labels, lengths: rowLengths(tokens), truncated: tokens.truncated };
  });
} else {
  const options: ToyWorkerOptions = JSON.parse(json);
  const dies = killAtStep(deadly, Number(nth));
  const onStep = (step: string): void => {
    if (options.tellsSteps === true) process.stdout.write(`${step}\n`);
    dies(step);
  };
  const worker = openToyWorker(
    { url },
    {
      ...options,
      quarantine: import.meta.filename,
      onStep,
    },
  );
  process.once('SIGTERM', () => void worker.close());
  process.stdout.write('ready\n');
}
