import { batchTokensOf } from '#pipeline/engine/stage-engine.js';
import type { Proportion } from '#pipeline/evaluation/proportion.js';
import { proportion } from '#pipeline/evaluation/proportion.js';
import { sum } from '#pipeline/report/counts.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import type { LengthShare } from './batch-fill.js';
import { assumedLengths, batchesPerRowTable, meanLength, rowsOfAFullBatch } from './batch-fill.js';
import type { FleetCosts } from './fleet-costs.js';
import type { FleetSettings } from './fleet-settings.js';
import type { Pilot, StageTimes } from './pilot.js';
import { lengthShares } from './pilot.js';
import type { StageDepth } from './stage-depths.js';
import { stageDepths } from './stage-depths.js';

/** What a stage has to do, and what that takes. */
export interface StageLoad {
  /** Share of all rows that enter. */
  readonly reach: Proportion;
  /** Share of the rows that enter and go on, 0..1. */
  readonly survives: number;
  /** Layers that an entering row runs through on average ÷ layers of the stage, 0..1; 1 of a stage without layers. */
  readonly depth: number;
  readonly lengths: readonly LengthShare[];
  /** Tokens of an entering row. */
  readonly tokens: number;
  /** Bytes of the activations of an entering row; 0 at the first stage. */
  readonly activationBytes: number;
  /** The most tokens of a batch. */
  readonly batchTokens: number;
  /** Seconds that an entering row takes one thread, where so many rows wait at its worker. */
  readonly rowSeconds: (waiting: number) => number;
  /** Waiting rows from which on there is a full batch. */
  readonly fullAt: number;
  /** The most rows of which the survivors travel as one. */
  readonly sliceRows: number;
}

export interface LoadParts {
  readonly layout: ModelLayout;
  readonly maxLength: number;
  readonly pilot: Pilot;
  readonly times: StageTimes;
  readonly costs: FleetCosts;
  readonly settings: FleetSettings;
  /** How many times as fast as the measured ones the workers of each stage are, `[stages]`. */
  readonly speeds: readonly number[];
}

/** A pilot that says nothing of this model. */
export class PilotError extends Error {
  override readonly name = 'PilotError';
}

/** @returns of each stage @throws PilotError for a pilot without rows, or of other exits */
export function stageLoads(parts: LoadParts): StageLoad[] {
  expectPilot(parts);
  return stageDepths(parts.layout, parts.pilot).map((depth, index) => stageLoad(parts, index, depth));
}

function stageLoad(parts: LoadParts, index: number, { reached, survives, depth }: StageDepth): StageLoad {
  const { layout, pilot, times, costs, settings } = parts;
  const counts = pilot.lengths?.[index] ?? [];
  const lengths =
    counts.length > 0 ? lengthShares(counts) : assumedLengths(pilot.tokensPerRow, parts.maxLength);
  const tokens = meanLength(lengths);
  const tokenBytes = layout.hiddenSize * (layout.activation === 'float16' ? 2 : 4);
  const isFirst = index === 0;
  const isLast = index === layout.stages.length - 1;
  const batchTokens = batchTokensOf(layout.stages[index]!, settings.batchTokens);
  const { batchSeconds, tokenSeconds } = times.stages[index]!;
  const carried = (isFirst ? 0 : 1) + (isLast ? 0 : survives);
  const beside =
    (isFirst ? tokens * times.tokenizeSecondsPerToken : 0) +
    times.handlingSeconds +
    costs.jobSeconds +
    carried * tokens * tokenBytes * costs.activationSeconds;
  const fill = batchesPerRowTable(lengths, batchTokens);
  const speed = parts.speeds[index] ?? 1;
  const { threads, cores } = settings;
  return {
    reach: proportion(reached, pilot.rows),
    survives: isLast ? 0 : survives,
    depth,
    lengths,
    tokens,
    activationBytes: isFirst ? 0 : tokens * tokenBytes,
    batchTokens,
    rowSeconds: (waiting) => {
      const inModel = batchSeconds * fill(waiting) + tokens * tokenSeconds * depth;
      // The threads of a worker share what runs beside them.
      return (cores > threads ? Math.max(inModel, beside * threads) : inModel + beside) / speed;
    },
    fullAt: rowsOfAFullBatch(lengths, batchTokens),
    sliceRows: isLast ? Infinity : Math.max(1, Math.floor(settings.blobBytes / tokenBytes / tokens)),
  };
}

function expectPilot({ layout, pilot, times }: LoadParts): void {
  const known = layout.stages.flatMap(({ exits }) => exits);
  const other = pilot.exits.find(({ layer }) => !known.includes(layer));
  if (other !== undefined) {
    throw new PilotError(
      `The pilot has rows that left at exit ${other.layer}; the model's exits are ${known.join(', ')}. Give a pilot of this model.`,
    );
  }
  const rows = sum(pilot.exits.map((exit) => exit.rows));
  if (rows === 0 || rows !== pilot.rows) {
    throw new PilotError(
      `Expected a pilot with labelled rows that all left somewhere; got ${pilot.rows} rows, of which ${rows} left.`,
    );
  }
  if (times.stages.length !== layout.stages.length) {
    throw new PilotError(
      `The pilot has times of ${times.stages.length} stages; the model has ${layout.stages.length}. Give a pilot of this model.`,
    );
  }
}
