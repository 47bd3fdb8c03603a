import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';

/** The layers and exits that are compiled into one graph. */
export interface StagePlan {
  /** The first stage, which starts with the embeddings. */
  readonly embeds: boolean;
  /** First and last layer; `undefined` for exit 0 alone. */
  readonly layers: readonly [number, number] | undefined;
  /** Layers of its exits, ascending. */
  readonly exits: readonly number[];
}

export class StageError extends Error {
  override readonly name = 'StageError';
}

/**
 * Cuts a model into stages.
 *
 * @param ends last layer of each stage but the final one, ascending, such as `[2, 4]`; 0 for a first stage of exit 0 alone
 * @param keep layers of the exits to keep; the last layer's is always kept
 * @throws StageError
 */
export function planStages(
  config: CheckpointConfig,
  ends: readonly number[],
  keep: ReadonlySet<number>,
): StagePlan[] {
  const { layers } = config.geometry;
  const known = config.exits.map((exit) => exit.layer);
  const unknown = [...keep].find((layer) => !known.includes(layer));
  if (unknown !== undefined) {
    throw new StageError(`There is no exit ${unknown}; the checkpoint has exits ${known.join(', ')}.`);
  }
  const kept = known.filter((layer) => keep.has(layer) || layer === layers);
  ends.forEach((end, index) => {
    if (!Number.isInteger(end) || end < 0 || end >= layers || end <= (ends[index - 1] ?? -1)) {
      throw new StageError(
        `Stages must end at ascending layers from 0 to ${layers - 1}, such as 2,4; got ${ends.join(',')}.`,
      );
    }
  });
  if (ends[0] === 0 && !kept.includes(0)) {
    throw new StageError(
      'A first stage that ends at layer 0 is exit 0 alone, and exit 0 is not among the exits.',
    );
  }
  let previous = -1;
  return [...ends, layers].map((end) => {
    const embeds = previous < 0;
    const first = Math.max(previous + 1, 1);
    const exits = kept.filter((layer) => layer > previous && layer <= end);
    previous = end;
    return { embeds, layers: end === 0 ? undefined : [first, end], exits };
  });
}
