import type { ModelLayout } from '#pipeline/stage-layout.js';

/** Stages that the bundle does not have. */
export class ServedStagesError extends Error {
  override readonly name = 'ServedStagesError';
}

/**
 * The first and last stage that are served, 0-based.
 * @param setting `all`, a stage such as `1`, or stages such as `2-3`, counted from 1
 * @throws ServedStagesError
 */
export function servedStages(
  setting: string,
  { stages }: ModelLayout,
): readonly [first: number, last: number] {
  if (setting === 'all') return [0, stages.length - 1];
  const [first = 0, last = first] = setting.split('-').map(Number);
  if (first < 1 || last < first || last > stages.length) {
    throw new ServedStagesError(
      `Expected stages from 1 to ${stages.length}, which the bundle has, in ascending order; got ${setting}. ` +
        'Set SLUICE_STAGES to all, to one of them, or to some such as 2-3.',
    );
  }
  return [first - 1, last - 1];
}
