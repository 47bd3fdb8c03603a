import { sum } from '#pipeline/report/counts.js';
import type { ModelLayout, StageLayout } from '#pipeline/stage-layout.js';
import type { Pilot } from './pilot.js';

/** What a pilot says of one stage. */
export interface StageDepth {
  /** Rows that entered. */
  readonly reached: number;
  /** Share of them that went on, 0..1. */
  readonly survives: number;
  /** Layers that one of them ran through on average ÷ layers of the stage, 0..1; 1 of a stage without layers. */
  readonly depth: number;
}

/** @returns of each stage */
export function stageDepths(layout: ModelLayout, pilot: Pick<Pilot, 'rows' | 'exits'>): StageDepth[] {
  let entering = pilot.rows;
  return layout.stages.map((stage) => {
    const reached = entering;
    entering -= sum(leaving(stage, pilot).map(({ rows }) => rows));
    const survives = reached === 0 ? 0 : entering / reached;
    return { reached, survives, depth: depthOf(stage, pilot, reached, entering) };
  });
}

function leaving({ exits }: StageLayout, pilot: Pick<Pilot, 'exits'>): Pilot['exits'] {
  return pilot.exits.filter(({ layer }) => exits.includes(layer));
}

/** Rows that leave at an exit within the stage have run through the layers up to it. */
function depthOf(stage: StageLayout, pilot: Pick<Pilot, 'exits'>, reached: number, through: number): number {
  if (stage.layers === undefined || reached === 0) return 1;
  const [first, last] = stage.layers;
  const all = last - first + 1;
  const run = sum(leaving(stage, pilot).map(({ layer, rows }) => rows * Math.max(0, layer - first + 1)));
  return (run + through * all) / (reached * all);
}
