import { createHash } from 'node:crypto';
import type { Manifest } from '#model/bundle/manifest.js';
import type { StageWork } from './children/stage-log.js';
import type { BenchWork, Observation, RowLabels, Variant } from './variants/variant.js';

/** A variant did not do what it is measured for: its time means nothing. */
export class BenchCheckError extends Error {
  override readonly name = 'BenchCheckError';
}

/** Least share of rows that int8 labels as fp32 does, both at full depth. */
const LEAST_AGREEMENT = 0.98;

/** SHA-256 over the label and exit of every row. */
export function labelsHash({ label, exitLayer }: RowLabels): string {
  return createHash('sha256').update(label).update(exitLayer).digest('hex');
}

/**
 * Checks one sample by itself and against the same variant's first.
 * @throws BenchCheckError
 */
export function checkSample(
  { name, bundle }: Variant,
  observed: Observation,
  first: Observation | undefined,
  work: BenchWork,
): void {
  const rows = work.corpus.texts.length;
  if (observed.rows !== rows)
    throw new BenchCheckError(`${name} had ${rows} rows and gave ${observed.rows}.`);
  if (first?.labels !== undefined && observed.labels !== undefined) {
    expectSameLabels(`${name} in its first round`, first.labels, `${name} now`, observed.labels);
  }
  if (first !== undefined && first.outputSha256 !== observed.outputSha256) {
    throw new BenchCheckError(`${name} wrote other bytes than in its first round.`);
  }
  const manifest = work.bundles.get(bundle)?.manifest;
  if (observed.labels !== undefined && observed.stages !== undefined && manifest !== undefined) {
    checkStages(name, observed.labels, observed.stages, manifest, work);
  }
}

/** What ran in each stage must follow from where rows left: their FLOPs are counted by that. */
function checkStages(
  name: string,
  { exitLayer }: RowLabels,
  stages: readonly StageWork[],
  manifest: Manifest,
  { tokens: { offsets }, batches: planned }: BenchWork,
): void {
  const gone = new Set<number>();
  for (const [index, { exits }] of manifest.stages.entries()) {
    const expected = { rows: 0, tokens: 0 };
    for (const [row, layer] of exitLayer.entries()) {
      if (gone.has(layer)) continue;
      expected.rows += 1;
      expected.tokens += offsets[row + 1]! - offsets[row]!;
    }
    const { rows, tokens, batches } = stages[index]!;
    if (rows !== expected.rows || tokens !== expected.tokens) {
      throw new BenchCheckError(
        `${name}: by their exits ${expected.rows} rows of ${expected.tokens} tokens reach stage ${index + 1}; ` +
          `${rows} rows of ${tokens} tokens ran there.`,
      );
    }
    // The roof has the shapes of a run in one stage.
    if (manifest.stages.length === 1 && batches !== planned.length) {
      throw new BenchCheckError(`${name} ran ${batches} batches; the roof has ${planned.length}.`);
    }
    for (const layer of exits) gone.add(layer);
  }
}

/** What must hold between variants, by the first sample of each; and what was checked, in words. */
export function checkAcross(first: ReadonlyMap<string, Observation>): string[] {
  const done: string[] = [];
  for (const [one, other, what] of equalLabels) {
    const [a, b] = [first.get(one)?.labels, first.get(other)?.labels];
    if (a === undefined || b === undefined) continue;
    expectSameLabels(one, a, other, b);
    done.push(`${one} = ${other}: ${what}`);
  }
  const [float, int8] = [first.get('full-fp32')?.labels, first.get('full-int8')?.labels];
  if (float !== undefined && int8 !== undefined) {
    const share = agreement(float, int8);
    if (share < LEAST_AGREEMENT) {
      throw new BenchCheckError(
        `int8 gives ${share} of the rows the label of fp32; at least ${LEAST_AGREEMENT} must be.`,
      );
    }
    done.push(`full-int8 labels ${(100 * share).toFixed(2)} % of the rows as full-fp32 does`);
  }
  const [command, parts] = [first.get('label-early')?.outputSha256, first.get('phases')?.outputSha256];
  if (command !== undefined && parts !== undefined) {
    if (command !== parts) throw new BenchCheckError('label-early and phases wrote different bytes.');
    done.push('label-early = phases: output byte for byte');
  }
  return done;
}

const equalLabels = [
  ['full-int8', 'full-int8-exits', 'label and exit of every row, whether or not there are early exits'],
  ['full-int8', 'label-full', 'label and exit of every row, in the engine and from file to file'],
  ['early-from-0', 'label-early', 'label and exit of every row, in the engine and from file to file'],
] as const;

/** Share of the rows that have the same label. */
export function agreement(a: RowLabels, b: RowLabels): number {
  return a.label.filter((label, row) => label === b.label[row]).length / a.label.length;
}

function expectSameLabels(oneName: string, one: RowLabels, otherName: string, other: RowLabels): void {
  const row = one.label.findIndex(
    (label, row) => label !== other.label[row] || one.exitLayer[row] !== other.exitLayer[row],
  );
  if (row < 0 && one.label.length === other.label.length) return;
  throw new BenchCheckError(
    `Row ${row} has label ${one.label[row]} from exit ${one.exitLayer[row]} in ${oneName}, ` +
      `label ${other.label[row]} from exit ${other.exitLayer[row]} in ${otherName}.`,
  );
}
