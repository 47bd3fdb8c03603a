import type { Bundle } from '#model/bundle/bundle.js';
import type { OpinionColumns } from '#pipeline/evaluation/opinion-columns.js';
import type { ExitFigures, PolicyFigures } from '#pipeline/evaluation/policy-figures.js';
import { exitFigures, policyFigures } from '#pipeline/evaluation/policy-figures.js';
import type { Proportion } from '#pipeline/evaluation/proportion.js';
import { proportion } from '#pipeline/evaluation/proportion.js';
import { modelShape } from './model-shape.js';
import type { NamedPolicy } from './named-policies.js';
import type { MeasuredRate } from './time-policies.js';
import type { RowCounts } from './gather-opinions.js';

export interface ClassFigures {
  readonly label: string;
  readonly precision: Proportion;
  readonly recall: Proportion;
}

export interface EvaluatedPolicy extends PolicyFigures {
  readonly name: string;
  /** By layer of the exit. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** Of the positive class. */
  readonly positive: ClassFigures | undefined;
  /** Of the stage engine, without reading and tokenising; undefined where it was not timed. */
  readonly textsPerSecond: MeasuredRate | undefined;
}

/** `evaluation.json`. All but `textsPerSecond` and `timing` is the same each time. */
export interface Evaluation extends RowCounts {
  /** Its files; `-` is standard input. */
  readonly corpus: readonly string[];
  readonly model: string;
  /** The bundle's hash. */
  readonly bundle: string;
  readonly fingerprint: string;
  readonly labels: readonly string[];
  /** L. */
  readonly layers: number;
  /** As if every row left at one exit. */
  readonly exits: readonly ExitFigures[];
  readonly policies: readonly EvaluatedPolicy[];
  readonly timing: Timing | undefined;
}

export interface Timing {
  readonly texts: number;
  readonly rounds: number;
  readonly workers: number;
}

export interface EvaluationInput {
  readonly corpus: readonly string[];
  readonly bundle: Bundle;
  readonly fingerprint: string;
  readonly counts: RowCounts;
  readonly opinions: OpinionColumns;
  readonly policies: readonly NamedPolicy[];
  /** Index among the labels. */
  readonly positive: number | undefined;
  readonly timing: Timing | undefined;
  /** Of each policy, where they were timed. */
  readonly rates: readonly MeasuredRate[];
}

/** All figures of an evaluation. @throws UsageError for a bundle whose work cannot be counted */
export function evaluationOf(input: EvaluationInput): Evaluation {
  const { manifest, hash } = input.bundle;
  const shape = modelShape(manifest);
  return {
    corpus: input.corpus,
    model: manifest.name,
    bundle: hash,
    fingerprint: input.fingerprint,
    ...input.counts,
    labels: manifest.labels,
    layers: shape.layers,
    exits: exitFigures(input.opinions),
    policies: input.policies.map(({ name, policy }, index) => {
      const figures = policyFigures(input.opinions, policy, shape, manifest.labels);
      return {
        name,
        thresholds: Object.fromEntries([...policy].map(([layer, threshold]) => [String(layer), threshold])),
        ...figures,
        positive: positiveFigures(figures, input.positive),
        textsPerSecond: input.rates[index],
      };
    }),
    timing: input.timing,
  };
}

function positiveFigures({ quality }: PolicyFigures, positive: number | undefined): ClassFigures | undefined {
  if (quality === undefined || positive === undefined) return undefined;
  const right = quality.confusion[positive]![positive]!;
  const { label, rows } = quality.classes[positive]!;
  const predicted = quality.confusion.reduce((sum, row) => sum + row[positive]!, 0);
  return { label, precision: proportion(right, predicted), recall: proportion(right, rows) };
}
