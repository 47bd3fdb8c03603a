import type { ExitFigure } from '#training/loop/training-task.js';
import { trainInProcess } from '#training/process/training-process.js';
import type { TrainingOutcome, TrainingRequest } from '#training/process/training-request.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import type { OutputOptions } from '../commands/output-options.js';
import { printResult } from '../commands/output-options.js';
import { openDisplay } from '../terminal/open-display.js';
import type { TrainingProgress } from '../terminal/training-view.js';
import { trainingView } from '../terminal/training-view.js';

/** Stopped by the user; the training can go on. */
export class TrainingStoppedError extends Error {
  override readonly name = 'TrainingStoppedError';

  constructor(readonly step: number) {
    super(`Stopped at step ${step}. Give the same command again to go on from there.`);
  }
}

/** Weight of the newest step in the loss and the speed that are shown. */
const NEWEST = 0.05;

/** Trains with the live picture on standard error; Ctrl-C keeps a checkpoint and ends. */
export async function trainWithDisplay(request: TrainingRequest, flags: OutputOptions): Promise<void> {
  const silent = flags.quiet === true || flags.json === true;
  const display = openDisplay(process.stderr, process.env, silent, trainingView);
  const stop = stopOnSignals();
  let shown = nothingYet;
  let end: 'finished' | 'stopped' = 'stopped';
  let outcome: TrainingOutcome;
  try {
    outcome = await trainInProcess(request, {
      signal: stop.signal,
      onNews: (news) => {
        switch (news.kind) {
          case 'note':
            return display.note(news.note);
          case 'preparing':
            shown = { ...shown, phase: 'preparing', fraction: news.fraction, what: news.what };
            break;
          case 'step': {
            const perSecond = 1000 / news.ms;
            const first = shown.phase !== 'training';
            shown = {
              ...news,
              phase: 'training',
              what: '',
              fraction: news.step / news.steps,
              loss: first ? news.loss : mixed(shown.loss, news.loss),
              stepsPerSecond: first ? perSecond : 1 / mixed(1 / shown.stepsPerSecond, 1 / perSecond),
              dev: shown.dev,
            };
            break;
          }
          case 'epoch':
            shown = { ...shown, dev: news.dev.map(figureText) };
            display.note(
              `Epoch ${news.epoch} on dev: ${news.dev.map(figureText).join(', ')}${news.isBest ? ' (best)' : ''}`,
            );
            break;
        }
        display.update(shown);
      },
    });
    end = outcome.end === 'stopped' ? 'stopped' : 'finished';
  } finally {
    display.close(end);
    stop.release();
  }
  if (outcome.end === 'stopped') throw new TrainingStoppedError(outcome.steps);
  printResult(flags, outcome, () => outcomeLines(outcome));
}

const nothingYet: TrainingProgress = {
  phase: 'preparing',
  fraction: undefined,
  what: 'reading texts',
  step: 0,
  steps: 0,
  epoch: 0,
  loss: 0,
  rate: 0,
  stepsPerSecond: 0,
  dev: [],
};

function mixed(before: number, newest: number): number {
  return before * (1 - NEWEST) + newest * NEWEST;
}

function figureText({ layer, share }: ExitFigure): string {
  return `exit ${layer} ${share.toFixed(3)}`;
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
