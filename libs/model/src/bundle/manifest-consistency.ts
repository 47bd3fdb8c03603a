import type { Manifest } from './manifest.js';

/** What a manifest says in one place and denies in another; undefined where all of it fits together. */
export function inconsistency(manifest: Manifest): string | undefined {
  const { geometry, labels, maxLength, activation, precision } = manifest;
  if (new Set(labels).size !== labels.length) return `labels occur twice: ${labels.join(', ')}`;
  if (maxLength > geometry.maxPositions) {
    return `maxLength is ${maxLength}, but the model has ${geometry.maxPositions} positions`;
  }
  if ((precision === 'fp16') !== (activation === 'float16')) {
    return `hidden states of a ${precision} bundle cannot be ${activation}`;
  }
  return stageInconsistency(manifest) ?? presetInconsistency(manifest) ?? leavingInconsistency(manifest);
}

/** Stages must tile the layers 1..L in order, and hold each exit once, at its layer. */
function stageInconsistency({ stages, exits, geometry }: Manifest): string | undefined {
  const layers = exits.map(({ layer }) => layer);
  const ascending = layers.every((layer, index) => index === 0 || layer > layers[index - 1]!);
  if (!ascending || layers.at(-1) !== geometry.layers) {
    return `exits must ascend to the last of ${geometry.layers} layers; got ${layers.join(', ')}`;
  }
  let done = -1;
  for (const [index, stage] of stages.entries()) {
    const [first, last] = stage.layers ?? [0, 0];
    const starts = index === 0 ? stage.layers === null || first === 1 : first === Math.max(done, 0) + 1;
    const expected = layers.filter((layer) => layer > done && layer <= last);
    if (!starts || last < first || stage.exits.join() !== expected.join()) {
      return `stage ${index + 1} does not go on where the stage before it ends, or misses an exit`;
    }
    done = last;
  }
  return done === geometry.layers ? undefined : `the stages end at layer ${done} of ${geometry.layers}`;
}

function presetInconsistency({ presets, exits }: Manifest): string | undefined {
  for (const [name, { thresholds }] of Object.entries(presets)) {
    const missing = exits.find(({ layer }) => !Object.hasOwn(thresholds, String(layer)));
    if (missing !== undefined) return `preset ${name} has no threshold for exit ${missing.layer}`;
  }
  return undefined;
}

function leavingInconsistency({ quality, exits }: Manifest): string | undefined {
  const leaving = quality?.leaving ?? [];
  const wrong = leaving.find(({ shares }) => shares.length !== exits.length);
  if (wrong !== undefined) {
    return `at speed ${wrong.speed} texts leave at ${wrong.shares.length} exits of ${exits.length}`;
  }
  const ascending = leaving.every(({ speed }, index) => index === 0 || speed > leaving[index - 1]!.speed);
  return ascending ? undefined : 'the speeds of its leaving do not ascend';
}
