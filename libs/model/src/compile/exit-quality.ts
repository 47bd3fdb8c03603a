import type { ExitQuality, Preset } from '../bundle/manifest.js';
import type { ExitOpinions } from './exit-opinions.js';

/** Index of the most probable class of each row, the first on a tie. */
export function labelsOf(probabilities: Float32Array, classes: number): Uint16Array {
  const labels = new Uint16Array(probabilities.length / classes);
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (probabilities[row * classes + c]! > probabilities[row * classes + best]!) best = c;
    }
    labels[row] = best;
  }
  return labels;
}

/**
 * Compares each exit with its float32 self, and both with the labels where they are given.
 * @param golds index of each row's right class, −1 where unknown
 */
export function exitQuality(
  compiled: ExitOpinions,
  reference: ExitOpinions,
  golds: Int32Array | undefined,
): ExitQuality[] {
  return [...compiled.exits].map(([layer, { probabilities }]) => {
    const labels = labelsOf(probabilities, compiled.classes);
    const expected = labelsOf(reference.exits.get(layer)!.probabilities, compiled.classes);
    const quality: ExitQuality = { layer, agreement: shareEqual(labels, expected) };
    if (golds !== undefined && golds.some((gold) => gold >= 0)) {
      quality.accuracy = accuracy(labels, golds);
      quality.accuracyFp32 = accuracy(expected, golds);
    }
    return quality;
  });
}

/** What a speed would give: where each row leaves, and how often the label is that of the full depth. */
export function speedQuality(
  opinions: ExitOpinions,
  speed: number,
): { agreement: number; meanLayers: number } {
  const layers = [...opinions.exits.keys()];
  const last = layers.at(-1)!;
  const labels = new Map(
    [...opinions.exits].map(([layer, { probabilities }]) => [
      layer,
      labelsOf(probabilities, opinions.classes),
    ]),
  );
  const threshold = Math.fround(speed);
  let agreed = 0;
  let layerSum = 0;
  for (let row = 0; row < opinions.rows; row++) {
    const exit = layers.find((layer) => opinions.exits.get(layer)!.uncertainty[row]! < threshold) ?? last;
    layerSum += exit;
    if (labels.get(exit)?.[row] === labels.get(last)?.[row]) agreed += 1;
  }
  return { agreement: agreed / opinions.rows, meanLayers: layerSum / opinions.rows };
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
): Record<string, Preset> {
  const thresholds = (speed: number): Record<string, number> =>
    Object.fromEntries(exits.map((layer) => [String(layer), speed]));
  const layers = exits.at(-1)!;
  const presets: Record<string, Preset> = {
    full: { thresholds: thresholds(0), agreement: 1, meanLayers: layers },
  };
  for (const name of ['accurate', 'balanced', 'fast'] as const) {
    if (opinions === undefined) {
      presets[name] = { thresholds: thresholds(presetSpeeds[name]) };
      continue;
    }
    let speed = 0;
    for (let step = 1; step <= 99; step++) {
      if (speedQuality(opinions, step / 100).agreement < presetAgreement[name]) break;
      speed = step / 100;
    }
    presets[name] = { thresholds: thresholds(speed), ...speedQuality(opinions, speed) };
  }
  return presets;
}

function shareEqual(a: Uint16Array, b: Uint16Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal += 1;
  return equal / a.length;
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
