import { trainInProcess } from '#training/process/training-process.js';
import type { TrainingOutcome, TrainingRequest } from '#training/process/training-request.js';
import { nextProgress, notBegun } from '#training/report/training-progress.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import type { OutputOptions } from '../commands/output-options.js';
import { printResult } from '../commands/output-options.js';
import { openDisplay } from '../terminal/open-display.js';
import { figureText, trainingView } from '../terminal/training-view.js';
import { lockWork } from './lock-work.js';

/** Stopped by the user; the training can go on. */
export class TrainingStoppedError extends Error {
  override readonly name = 'TrainingStoppedError';

  constructor(readonly step: number) {
    super(`Stopped at step ${step}. Give the same command again to go on from there.`);
  }
}

/** Trains with the live picture on standard error; Ctrl-C keeps a checkpoint and ends. */
export async function trainWithDisplay(request: TrainingRequest, flags: OutputOptions): Promise<void> {
  const silent = flags.quiet === true || flags.json === true;
  const display = openDisplay(process.stderr, process.env, silent, trainingView);
  const stop = stopOnSignals();
  const lost = new AbortController();
  let shown = notBegun;
  let end: 'finished' | 'stopped' = 'stopped';
  let outcome: TrainingOutcome;
  let unlock: (() => Promise<void>) | undefined;
  try {
    unlock = await lockWork(request.out, (error) => lost.abort(error));
    outcome = await trainInProcess(request, {
      signal: stop.signal,
      kill: lost.signal,
      onNews: (news) => {
        if (news.kind === 'note') return display.note(news.note);
        shown = nextProgress(shown, news);
        if (news.kind === 'epoch') {
          const best = news.isBest ? ' (best)' : '';
          display.note(`Epoch ${news.epoch} on dev: ${news.dev.map(figureText).join(', ')}${best}`);
        }
        display.update(shown);
      },
    });
    end = outcome.end === 'stopped' ? 'stopped' : 'finished';
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    display.close(end);
    stop.release();
    await unlock?.();
  }
  if (outcome.end === 'stopped') throw new TrainingStoppedError(outcome.steps);
  printResult(flags, outcome, () => outcomeLines(outcome));
}

function outcomeLines({ out, end, steps, epoch, dev, seconds }: TrainingOutcome): string[] {
  const early = end === 'early' ? ', ended early' : '';
  return [
    `${steps} steps in ${Math.round(seconds)} s${early}; numbers of epoch ${epoch}`,
    ...(dev === undefined ? [] : [`dev: ${dev.map(figureText).join(', ')}`]),
    '',
    out,
  ];
}
