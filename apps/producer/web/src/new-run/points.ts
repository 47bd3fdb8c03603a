import type { ModelView } from '../../../src/model-desk.js';
import type { Evaluation } from '../api/views.js';

/** What a run is asked for: a preset, a speed, or thresholds. */
export type PolicyChoice =
  { readonly policy: string | Readonly<Record<string, number>> } | { readonly speed: number };

/** A point on the curve of speed and accuracy of a model. */
export interface Point {
  readonly name: string;
  readonly choice: PolicyChoice;
  /** Share of labels that are right, or else as at full depth; undefined where neither was measured. */
  readonly quality: number | undefined;
  readonly measure: 'accuracy' | 'agreement';
  /** Layers that a text runs through on average. */
  readonly meanLayers: number | undefined;
  /** Of the work at full depth, 0..1 and a little above. */
  readonly cost: number | undefined;
  /** Share of the texts that leave at each exit, where it was measured. */
  readonly exits: readonly { readonly layer: number; readonly share: number }[] | undefined;
}

/** The points of an evaluation, where there is one, and else the presets of the bundle; the most careful first. */
export function pointsOf(
  { presets, layers }: Pick<ModelView, 'presets' | 'layers'>,
  evaluation: Evaluation | undefined,
): Point[] {
  const points =
    evaluation === undefined ? presetPoints(presets, layers) : evaluatedPoints(evaluation, presets);
  return points.sort((a, b) => (b.cost ?? 1) - (a.cost ?? 1));
}

function presetPoints(presets: ModelView['presets'], layers: number): Point[] {
  return Object.entries(presets).map(([name, { agreement, meanLayers }]) => ({
    name,
    choice: { policy: name },
    quality: agreement,
    measure: 'agreement',
    meanLayers,
    cost: meanLayers === undefined ? undefined : meanLayers / layers,
    exits: undefined,
  }));
}

function evaluatedPoints({ policies }: Evaluation, presets: ModelView['presets']): Point[] {
  return policies.map(({ name, thresholds, accuracy, agreement, meanLayers, work, exits }) => ({
    name,
    choice: choiceOf(name, thresholds, presets),
    quality: (accuracy ?? agreement).share,
    measure: accuracy === undefined ? 'agreement' : 'accuracy',
    meanLayers,
    cost: 1 - work.saved,
    exits,
  }));
}

/** By the name where the bundle means the same by it, so that the run is known by it later. */
function choiceOf(
  name: string,
  thresholds: Readonly<Record<string, number>>,
  presets: ModelView['presets'],
): PolicyChoice {
  if (name !== '' && Number.isFinite(Number(name))) return { speed: Number(name) };
  return { policy: isSame(presets[name]?.thresholds, thresholds) ? name : thresholds };
}

function isSame(
  preset: Readonly<Record<string, number>> | undefined,
  thresholds: Readonly<Record<string, number>>,
): boolean {
  const layers = Object.keys(thresholds);
  return (
    preset !== undefined &&
    Object.keys(preset).length === layers.length &&
    layers.every((layer) => preset[layer] === thresholds[layer])
  );
}

/** `balanced`, `speed 0.2`. */
export const pointName = ({ name, choice }: Point): string => ('speed' in choice ? `speed ${name}` : name);

/** Of the best quality so much is given away for speed where nobody says what they want, as the preset balanced does. */
const GIVEN_AWAY = 0.01;

/** The point to begin with: balanced, or else the cheapest that loses no more. */
export function sensiblePoint(points: readonly Point[]): Point | undefined {
  const best = Math.max(...points.map(({ quality = 0 }) => quality));
  return (
    points.find(({ name }) => name === 'balanced') ??
    points.findLast(({ quality = 0 }) => quality >= best - GIVEN_AWAY)
  );
}
