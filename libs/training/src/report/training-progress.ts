import type { ExitFigure } from '../loop/training-task.js';
import type { TrainingNews } from '../process/training-request.js';

/** How far a training is. */
export interface TrainingProgress {
  readonly phase: 'preparing' | 'training';
  /** 0 to 1; undefined while nobody knows. */
  readonly fraction: number | undefined;
  /** What is prepared; of a training empty. */
  readonly what: string;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  /** Of the last twenty steps or so, an average. */
  readonly loss: number;
  readonly rate: number;
  readonly stepsPerSecond: number;
  /** How good each exit was on dev after the last epoch. */
  readonly dev: readonly ExitFigure[];
}

/** Of a training that has told nothing yet. */
export const notBegun: TrainingProgress = {
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

/** Weight of the newest step in the loss and the speed that are shown. */
const NEWEST = 0.05;

/** How far a training is after a piece of news. */
export function nextProgress(before: TrainingProgress, news: TrainingNews): TrainingProgress {
  switch (news.kind) {
    case 'note':
      return before;
    case 'preparing':
      return { ...before, phase: 'preparing', fraction: news.fraction, what: news.what };
    case 'epoch':
      return { ...before, dev: news.dev };
    case 'step': {
      const { step, steps, epoch, rate } = news;
      const perSecond = 1000 / news.ms;
      const isFirst = before.phase !== 'training';
      return {
        phase: 'training',
        what: '',
        fraction: step / steps,
        step,
        steps,
        epoch,
        rate,
        loss: isFirst ? news.loss : mixed(before.loss, news.loss),
        stepsPerSecond: isFirst ? perSecond : 1 / mixed(1 / before.stepsPerSecond, 1 / perSecond),
        dev: before.dev,
      };
    }
  }
}

/** Until the last step, at the pace of the latest ones, seconds; undefined while there is none. */
export function secondsLeft({ step, steps, stepsPerSecond }: TrainingProgress): number | undefined {
  return stepsPerSecond > 0 ? (steps - step) / stepsPerSecond : undefined;
}

function mixed(before: number, newest: number): number {
  return before * (1 - NEWEST) + newest * NEWEST;
}
