import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnnxGraph } from '#inference/onnx-graph.js';
import { openGraph } from '#inference/onnx-graph.js';
import type { Problem } from '../checkpoint/checkpoint-config.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { writeAnswer } from './answer-graph.js';

const CLASSES = 23;
const TOP = 5;

interface Answer {
  readonly probabilities: Float32Array;
  readonly uncertainty: Float32Array;
}

async function graphOf(problem: Problem, uncertaintyTop?: number): Promise<OnnxGraph> {
  const builder = new GraphBuilder();
  const logits = builder.input('logits', 'float32', ['n', CLASSES]);
  const labels = Array.from({ length: CLASSES }, (_, index) => String(index));
  const answer = writeAnswer(builder, logits, { problem, labels, uncertaintyTop });
  builder.output('probabilities', answer.probabilities, 'float32', ['n', CLASSES]);
  builder.output('uncertainty', answer.uncertainty, 'float32', ['n']);
  return openGraph(builder.toModel('answer'));
}

async function ask(graph: OnnxGraph, rows: readonly (readonly number[])[]): Promise<Answer> {
  const feeds = { logits: { dims: [rows.length, CLASSES], data: Float32Array.from(rows.flat()) } };
  const { probabilities, uncertainty } = await graph.run(feeds);
  if (!(probabilities?.data instanceof Float32Array && uncertainty?.data instanceof Float32Array)) {
    throw new TypeError('Expected float32.');
  }
  return { probabilities: probabilities.data, uncertainty: uncertainty.data };
}

/** In double precision; 0·ln 0 is 0. */
const entropy = (probabilities: readonly number[]): number =>
  probabilities.reduce((sum, p) => (p === 0 ? sum : sum - p * Math.log(p)), 0);

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

const expected: Record<string, (logits: readonly number[]) => { p: number[]; u: number }> = {
  'single-label': (logits) => {
    const p = softmax(logits);
    return { p, u: entropy(p) / Math.log(CLASSES) };
  },
  top: (logits) => {
    const likely = [...logits].sort((a, b) => b - a).slice(0, TOP);
    return { p: softmax(logits), u: entropy(softmax(likely)) / Math.log(TOP) };
  },
  'multi-label': (logits) => {
    const pairs = logits.map((logit) => softmax([logit, 0]));
    const bits = pairs.map((pair) => entropy(pair) / Math.LN2);
    return { p: pairs.map(([p]) => p!), u: bits.reduce((sum, bit) => sum + bit, 0) / CLASSES };
  },
  regression: (logits) => ({ p: [...logits], u: 0 }),
};

/** As models give them, and far beyond. */
const logit = fc.oneof(
  fc.double({ min: -8, max: 8, noNaN: true }),
  fc.constantFrom(0, -0, 88, -88, 104, -104, 1e4, -1e4),
);
const logitRows = fc.array(fc.array(logit, { minLength: CLASSES, maxLength: CLASSES }), {
  minLength: 1,
  maxLength: 6,
});

describe.each<[string, Problem, number | undefined]>([
  ['single-label', 'single-label', undefined],
  ['top', 'single-label', TOP],
  ['multi-label', 'multi-label', undefined],
  ['regression', 'regression', undefined],
])('%s', (name, problem, top) => {
  let graph: OnnxGraph;
  beforeAll(async () => {
    graph = await graphOf(problem, top);
  });
  afterAll(() => graph.release());

  it('gives the probabilities and the uncertainty of the formulas, and each row what it gives it alone', async () => {
    await fc.assert(
      fc.asyncProperty(logitRows, async (drawn) => {
        const rows = drawn.map((row) => row.map(Math.fround));
        const together = await ask(graph, rows);
        for (const [row, logits] of rows.entries()) {
          const { p, u } = expected[name]!(logits);
          const found = together.probabilities.slice(row * CLASSES, (row + 1) * CLASSES);
          for (const [label, value] of p.entries()) {
            expect(Math.abs(found[label]! - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
          }
          expect(Math.abs(together.uncertainty[row]! - u)).toBeLessThan(1e-5);
          const alone = await ask(graph, [logits]);
          expect(alone.probabilities).toEqual(found);
          expect(alone.uncertainty[0]).toBe(together.uncertainty[row]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
