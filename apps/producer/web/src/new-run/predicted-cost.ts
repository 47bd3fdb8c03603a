import type { StageView } from '../../../src/queue-gauges.js';
import type { Point } from './points.js';

/** What a run will take, as far as the workers have measured. */
export interface PredictedTime {
  /** Time of the model for one text. */
  readonly secondsPerText: number;
  /** For all texts, with the workers that there are; undefined without workers. */
  readonly secondsPerTextOfAll: number | undefined;
}

/**
 * Each stage takes what its workers measured for a row, times the share of the texts that reach it: those that leave at its
 * exits or later ones. Where no evaluation tells that share, all stages with layers count by the mean number of layers that a
 * text runs through: right at full depth, and a little wrong below it where layers of different stages take different times.
 *
 * @param stages of the model, in their order
 * @returns undefined while a stage that counts was not measured
 */
export function predictedTime(
  { exits, meanLayers }: Pick<Point, 'exits' | 'meanLayers'>,
  stages: readonly Pick<StageView, 'layers' | 'exits' | 'secondsPerRow' | 'workers'>[],
): PredictedTime | undefined {
  const layersOfAll = stages.reduce((sum, { layers }) => sum + layersOf(layers), 0);
  let seconds = 0;
  const reached: { readonly seconds: number; readonly workers: number }[] = [];
  for (const stage of stages) {
    const reach = exits === undefined ? reachByLayers(stage, meanLayers, layersOfAll) : reachOf(stage, exits);
    if (reach === 0) continue;
    if (reach === undefined || stage.secondsPerRow === undefined) return undefined;
    seconds += reach * stage.secondsPerRow;
    reached.push({ seconds: reach * stage.secondsPerRow, workers: stage.workers });
  }
  if (stages.length === 0) return undefined;
  return { secondsPerText: seconds, secondsPerTextOfAll: timeOfAll(reached) };
}

/**
 * Workers that serve all stages make every stage have as many, and do them one after the other. Else stages have workers of their
 * own, side by side, and the slowest stage is what the others wait for.
 */
function timeOfAll(
  stages: readonly { readonly seconds: number; readonly workers: number }[],
): number | undefined {
  if (stages.some(({ workers }) => workers === 0)) return undefined;
  const times = stages.map(({ seconds, workers }) => seconds / workers);
  const isShared = new Set(stages.map(({ workers }) => workers)).size === 1;
  return isShared ? times.reduce((sum, time) => sum + time, 0) : Math.max(...times);
}

function reachOf({ exits: ofStage }: Pick<StageView, 'exits'>, exits: NonNullable<Point['exits']>): number {
  const first = Math.min(...ofStage);
  return exits.reduce((sum, { layer, share }) => (layer >= first ? sum + share : sum), 0);
}

function reachByLayers(
  { layers }: Pick<StageView, 'layers'>,
  meanLayers: number | undefined,
  layersOfAll: number,
): number | undefined {
  if (layers === null) return 1;
  return meanLayers === undefined ? undefined : Math.min(1, meanLayers / layersOfAll);
}

const layersOf = (layers: StageView['layers']): number => (layers === null ? 0 : layers[1] - layers[0] + 1);
