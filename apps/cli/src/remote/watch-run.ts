import type { LabelProgress } from '#run/label-progress.js';
import type { RunView } from '#run/run-view.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { labelView } from '../terminal/label-view.js';
import { openDisplay } from '../terminal/open-display.js';
import type { ProducerClient } from './producer-client.js';
import type { ServerOptions } from './server-options.js';

/** A run that did not come to its end. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError';

  constructor(readonly run: RunView) {
    const why = run.error === undefined ? '' : `: ${run.error}`;
    super(`Run ${run.id} is ${run.phase}${why}\nGo on with it where it was: sluice resume ${run.id}`);
  }
}

/** The user looks no longer; the run goes on. */
export class WatchingEndedError extends Error {
  override readonly name = 'WatchingEndedError';

  constructor(id: string) {
    super(`The run goes on: sluice watch ${id}`);
  }
}

/**
 * Shows a run as it goes on, with the live picture of `sluice label`, until it is finished. Ctrl-C ends only the watching.
 * @throws RunEndedError where it fails, or is cancelled; WatchingEndedError on Ctrl-C; ProducerError
 */
export async function watchRun(client: ProducerClient, id: string, output: ServerOptions): Promise<RunView> {
  const isSilent = output.quiet === true || output.json === true;
  const display = openDisplay<LabelProgress>(process.stderr, process.env, isSilent, labelView);
  const stop = stopOnSignals();
  let end: 'finished' | 'stopped' = 'stopped';
  let last: RunView | undefined;
  const said = new Set<string>();
  const note = (text: string | undefined): void => {
    if (text === undefined || said.has(text)) return;
    said.add(text);
    display.note(text);
  };
  try {
    for await (const view of client.watch(id, stop.signal)) {
      last = view;
      note(view.waitsFor);
      for (const each of view.notes ?? []) note(each);
      if (view.progress !== undefined) display.update(view.progress);
    }
    if (last?.phase === 'finished') end = 'finished';
  } catch (error) {
    throw stop.signal.aborted ? new WatchingEndedError(id) : error;
  } finally {
    display.close(end);
    stop.release();
  }
  if (last === undefined || last.phase !== 'finished')
    throw new RunEndedError(last ?? (await client.run(id)));
  return last;
}
