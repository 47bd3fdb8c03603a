import { joinFitting, phaseLine } from './phase-line.js';
import type { TrainingProgress } from '#training/report/training-progress.js';
import { secondsLeft } from '#training/report/training-progress.js';
import type { ExitFigure } from '#training/loop/training-task.js';
import type { ProgressView } from './progress-display.js';
import { percentText } from './progress-words.js';
import { durationText } from './quantity.js';

/** How the progress of a training is shown. */
export const trainingView: ProgressView<TrainingProgress> = {
  mainPhase: 'training',
  picture: (progress, columns, paint) => [
    phaseLine(progress, 'preparing'.length, columns, paint),
    joinFitting(words(progress), columns),
    paint.style('dim', joinFitting(progress.dev.map(figureText), columns)),
  ],
  line: (progress) =>
    `${progress.phase}: ${[percentText(progress.fraction), ...words(progress), ...progress.dev.map(figureText)].join(', ')}`,
};

/** Of an exit, the share of rows that it has right: `exit 3 0.912`. */
export function figureText({ layer, share }: ExitFigure): string {
  return `exit ${layer} ${share.toFixed(3)}`;
}

/** `loss 0.213`, `step 310 of 1,200`, `1.9 steps/s`, `8 min left`, `rate 7.2e-5`; most important first. */
function words(progress: TrainingProgress): string[] {
  const { phase, what, step, steps, epoch, loss, rate, stepsPerSecond } = progress;
  if (phase === 'preparing') return [what];
  const left = secondsLeft(progress);
  return [
    `loss ${loss.toPrecision(3)}`,
    `step ${step.toLocaleString('en')} of ${steps.toLocaleString('en')} (epoch ${epoch})`,
    ...(left === undefined
      ? []
      : [`${stepsPerSecond.toPrecision(2)} steps/s`, `${durationText(left * 1000)} left`]),
    `rate ${rate.toExponential(1)}`,
  ];
}
