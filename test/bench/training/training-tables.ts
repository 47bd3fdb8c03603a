import { ratioWithinRounds, spreadOf } from '../statistics.js';
import { spreadText } from '../view/spread-text.js';
import type { ResultTable } from '../view/table.js';
import type { StageOutcome, StageWork } from './work.js';

/** Steps at the beginning of a run that are not counted: memory is got, kernels are chosen. */
const WARM = 2;
/** The first losses come before any number has gone apart by rounding. */
const COMPARED = 8;
/** Of a loss, as a share of it: both sides compute in float32, in another order. */
const TOLERANCE = 0.02;
/** Of distillations of this many epochs, as the recipe of AG News has. */
const EPOCHS = 6;

export interface TrainingSample {
  readonly stage: 0 | 1;
  readonly side: 'sluice' | 'pytorch';
  readonly round: number;
  readonly outcome: StageOutcome;
}

/** The two sides trained different things. */
export class LossesDifferError extends Error {
  override readonly name = 'LossesDifferError';

  constructor(
    readonly stage: number,
    readonly step: number,
    readonly losses: readonly [number, number],
  ) {
    super(`Stage ${stage}, step ${step}: the loss of Sluice is ${losses[0]}, that of PyTorch ${losses[1]}.`);
  }
}

/** @throws LossesDifferError */
export function expectSameLosses(stage: number, sluice: StageOutcome, pytorch: StageOutcome): void {
  for (const [step, own] of sluice.losses.slice(0, COMPARED).entries()) {
    const other = pytorch.losses[step]!;
    if (!(Math.abs(own - other) <= TOLERANCE * Math.abs(other) + 1e-4)) {
      throw new LossesDifferError(stage, step + 1, [own, other]);
    }
  }
}

/** Mean of a step that is counted, seconds. */
export function stepSeconds({ seconds }: StageOutcome): number {
  const counted = seconds.slice(WARM);
  return counted.reduce((sum, each) => sum + each, 0) / counted.length;
}

const of = (samples: readonly TrainingSample[], stage: number, side: string): TrainingSample[] =>
  samples.filter((sample) => sample.stage === stage && sample.side === side);

type Pace = (outcome: StageOutcome) => number;

const learning: Pace = (outcome) => 1 / stepSeconds(outcome);

/** Steps a second of both sides, and their ratio in the same round. */
export function stepsTable(samples: readonly TrainingSample[], works: readonly StageWork[]): ResultTable {
  const rows = works.flatMap((work) => {
    const { stage, stepsOfEpoch } = work;
    const whole: Pace = (outcome) => {
      const states = outcome.statesSeconds / stepsOfEpoch;
      return EPOCHS / (states + EPOCHS * stepSeconds(outcome));
    };
    const first: Pace = (outcome) => 1 / (outcome.statesSeconds / stepsOfEpoch + stepSeconds(outcome));
    const line = (title: string, pace: Pace): string[] => {
      const values = (side: string): { round: number; value: number }[] =>
        of(samples, stage, side).map(({ round, outcome }) => ({ round, value: pace(outcome) }));
      const [own, other] = [values('sluice'), values('pytorch')];
      return [
        title,
        spreadText(spreadOf(own.map(({ value }) => value)), 2),
        spreadText(spreadOf(other.map(({ value }) => value)), 2),
        spreadText(ratioWithinRounds(own, other), 2),
      ];
    };
    if (stage === 0) return [line(`stage 0, ${work.batchTokens} tokens a batch`, learning)];
    return [
      line(`stage 1, ${work.batchTokens} tokens a batch, the first epoch`, first),
      line('stage 1, an epoch whose hidden states are kept', learning),
      line(`stage 1, ${EPOCHS} epochs together`, whole),
    ];
  });
  return {
    title: 'Steps a second',
    note: 'Forward and backward pass, clipping and AdamW; no dropout. PyTorch computes the hidden states in every epoch, Sluice once.',
    columns: ['', 'Sluice', 'PyTorch', 'Sluice ÷ PyTorch'],
    rows,
  };
}
