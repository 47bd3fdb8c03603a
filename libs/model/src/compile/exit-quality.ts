import type { ExitQuality, Preset } from '../bundle/manifest.js';
import type { AnswerForm } from '#pipeline/answer-form.js';
import { hasLabel } from '#pipeline/answer-form.js';
import type { ExitOpinion, ExitOpinions } from './exit-opinions.js';
import { leavingLayers } from './leaving-shares.js';

/** Index of the most probable class of each row, the first on a tie. */
export function labelsOf(probabilities: Float32Array, classes: number): Uint16Array {
  const labels = new Uint16Array(probabilities.length / classes);
  for (let row = 0; row < labels.length; row++) labels[row] = labelOfRow(probabilities, row, classes);
  return labels;
}

function labelOfRow(probabilities: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if (probabilities[row * classes + c]! > probabilities[row * classes + best]!) best = c;
  }
  return best;
}

/**
 * Whether two exits answer a row alike: with the same most probable label, or, where a text may have any number of labels,
 * with the same ones.
 *
 * @param one `[rows, classes]`, as `other`
 */
function agreeOn(
  row: number,
  one: Float32Array,
  other: Float32Array,
  classes: number,
  form: AnswerForm,
): boolean {
  if (form.problem !== 'multi-label') {
    return labelOfRow(one, row, classes) === labelOfRow(other, row, classes);
  }
  const first = row * classes;
  return form.thresholds.every(
    (threshold, label) =>
      hasLabel(one[first + label]!, threshold) === hasLabel(other[first + label]!, threshold),
  );
}

/** Share of the rows that two exits answer alike. */
function agreement(one: ExitOpinion, other: ExitOpinion, classes: number, form: AnswerForm): number {
  const rows = one.uncertainty.length;
  let equal = 0;
  for (let row = 0; row < rows; row++) {
    if (agreeOn(row, one.probabilities, other.probabilities, classes, form)) equal += 1;
  }
  return equal / rows;
}

/**
 * Compares each exit with its float32 self, and both with the labels where they are given.
 * @param golds index of each row's right class, −1 where unknown
 */
export function exitQuality(
  compiled: ExitOpinions,
  reference: ExitOpinions,
  golds: Int32Array | undefined,
  form: AnswerForm,
): ExitQuality[] {
  const { classes } = compiled;
  return [...compiled.exits].map(([layer, opinion]) => {
    const expected = reference.exits.get(layer)!;
    const quality: ExitQuality = { layer, agreement: agreement(opinion, expected, classes, form) };
    if (golds !== undefined && golds.some((gold) => gold >= 0)) {
      quality.accuracy = accuracy(labelsOf(opinion.probabilities, classes), golds);
      quality.accuracyFp32 = accuracy(labelsOf(expected.probabilities, classes), golds);
    }
    return quality;
  });
}

/** What a speed would give: where each row leaves, and how often the answer is that of the full depth. */
export function speedQuality(
  { rows, classes, exits }: ExitOpinions,
  speed: number,
  form: AnswerForm,
): { agreement: number; meanLayers: number } {
  const full = exits.get([...exits.keys()].at(-1)!)!.probabilities;
  let agreed = 0;
  let layerSum = 0;
  for (const [row, exit] of leavingLayers({ rows, exits }, speed).entries()) {
    layerSum += exit;
    if (agreeOn(row, exits.get(exit)!.probabilities, full, classes, form)) agreed += 1;
  }
  return { agreement: agreed / rows, meanLayers: layerSum / rows };
}

/** Least share of labels equal to the full depth's, by name of the preset. */
const presetAgreement = { accurate: 0.995, balanced: 0.99, fast: 0.98 } as const;
/** Used where no texts were given to measure on. */
const presetSpeeds = { accurate: 0.05, balanced: 0.1, fast: 0.3 } as const;

/**
 * Named policies: the highest speed, in steps of 0.01, up to which the measured texts keep the agreement.
 * @param exits layers of the bundle's exits
 */
export function choosePresets(
  exits: readonly number[],
  opinions: ExitOpinions | undefined,
  form: AnswerForm,
): Record<string, Preset> {
  const thresholds = (speed: number): Record<string, number> =>
    Object.fromEntries(exits.map((layer) => [String(layer), speed]));
  const layers = exits.at(-1)!;
  const presets: Record<string, Preset> = {
    full: { thresholds: thresholds(0), agreement: 1, meanLayers: layers },
  };
  // Without an uncertainty no text can leave before the end.
  if (form.problem === 'regression') return presets;
  for (const name of ['accurate', 'balanced', 'fast'] as const) {
    if (opinions === undefined) {
      presets[name] = { thresholds: thresholds(presetSpeeds[name]) };
      continue;
    }
    let speed = 0;
    for (let step = 1; step <= 99; step++) {
      if (speedQuality(opinions, step / 100, form).agreement < presetAgreement[name]) break;
      speed = step / 100;
    }
    presets[name] = { thresholds: thresholds(speed), ...speedQuality(opinions, speed, form) };
  }
  return presets;
}

function accuracy(labels: Uint16Array, golds: Int32Array): number {
  let right = 0;
  let known = 0;
  for (let i = 0; i < labels.length; i++) {
    if (golds[i]! < 0) continue;
    known += 1;
    if (labels[i] === golds[i]) right += 1;
  }
  return right / known;
}
