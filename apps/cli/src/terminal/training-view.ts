import { joinFitting, phaseLine } from './phase-line.js';
import type { Progress, ProgressView } from './progress-display.js';
import { percentText } from './progress-words.js';
import { durationText } from './quantity.js';

/** What the display shows of a training. */
export interface TrainingProgress extends Progress {
  readonly phase: 'preparing' | 'training';
  /** What is prepared; of a training empty. */
  readonly what: string;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  /** Of the last steps, an average. */
  readonly loss: number;
  readonly rate: number;
  readonly stepsPerSecond: number;
  /** Share of rows that each exit has right, `exit 3 .91`, after the last epoch. */
  readonly dev: readonly string[];
}

/** How the progress of a training is shown. */
export const trainingView: ProgressView<TrainingProgress> = {
  mainPhase: 'training',
  picture: (progress, columns, paint) => [
    phaseLine(progress, 'preparing'.length, columns, paint),
    joinFitting(words(progress), columns),
    paint.style('dim', joinFitting(progress.dev, columns)),
  ],
  line: (progress) =>
    `${progress.phase}: ${[percentText(progress.fraction), ...words(progress), ...progress.dev].join(', ')}`,
};

/** `loss 0.213`, `step 310 of 1,200`, `1.9 steps/s`, `8 min left`, `rate 7.2e-5`; most important first. */
function words({ phase, what, step, steps, epoch, loss, rate, stepsPerSecond }: TrainingProgress): string[] {
  if (phase === 'preparing') return [what];
  const words = [
    `loss ${loss.toPrecision(3)}`,
    `step ${step.toLocaleString('en')} of ${steps.toLocaleString('en')} (epoch ${epoch})`,
  ];
  if (stepsPerSecond > 0) {
    words.push(
      `${stepsPerSecond.toPrecision(2)} steps/s`,
      `${durationText(((steps - step) / stepsPerSecond) * 1000)} left`,
    );
  }
  return [...words, `rate ${rate.toExponential(1)}`];
}
