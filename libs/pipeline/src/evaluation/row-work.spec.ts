import { expect, it } from 'vitest';
import type { ModelShape } from './row-work.js';
import { countedWork, paperWork } from './row-work.js';

const bertBase: ModelShape = {
  layers: 12,
  hiddenSize: 768,
  intermediateSize: 3072,
  classes: 2,
  exits: [{ layer: 12, kind: 'fastbert', size: 128, heads: 2 }],
};

it("counts what the paper's tables say", () => {
  expect(Math.round(paperWork(bertBase).full(0) / 1e6)).toBe(21_785);
  const layer = paperWork({ ...bertBase, layers: 1 }).full(0) - paperWork({ ...bertBase, layers: 0 }).full(0);
  expect(layer / 1e6).toBeCloseTo(1811.9, 1);
});

const tiny: ModelShape = {
  layers: 2,
  hiddenSize: 4,
  intermediateSize: 8,
  classes: 3,
  exits: [
    { layer: 0, kind: 'fastbert', size: 2, heads: 2 },
    { layer: 1, kind: 'fastbert', size: 2, heads: 1 },
    { layer: 2, kind: 'pooler' },
  ],
};
// Multiplications of 5 tokens: a layer has 4·4·4 + 2·4·8 = 128 weights a token, and 2·5·5·4 products of attention.
const layer = 2 * (5 * 128 + 200);
// narrow 5·4·2, scores and sums 2·5·h·2, ask and answer 2·h·2·2, logits 2·3.
const exit0 = 2 * (40 + 40 + 16 + 6);
const exit1 = 2 * (40 + 20 + 8 + 6);
const pooler = 2 * (16 + 12);

it('counts layers, attention and exits up to where a row leaves', () => {
  const work = countedWork(tiny);
  expect([0, 1, 2].map((exit) => work.upTo(exit, 5))).toEqual([
    exit0,
    layer + exit0 + exit1,
    2 * layer + exit0 + exit1 + pooler,
  ]);
  expect(work.full(5)).toBe(2 * layer + pooler);
});

it('counts the exits of BitVoyage and the projection of ELECTRA', () => {
  const model: ModelShape = {
    ...tiny,
    embeddingSize: 3,
    exits: [
      { layer: 1, kind: 'bitvoyage', size: 2, heads: 2 },
      { layer: 2, kind: 'pooler' },
    ],
  };
  const projection = 2 * 5 * 3 * 4;
  // ask 4·2, keys of two heads 2·1·4, scores and sums 2·5·2·4, answer 2·4·3.
  const folded = 2 * (8 + 8 + 80 + 24);
  expect(countedWork(model).upTo(0, 5)).toBe(projection + layer + folded);
  expect(countedWork(model).full(5)).toBe(projection + 2 * layer + pooler);
  // Of 128 tokens: narrow 4·2, query, key and value 2·2 each; of one: hidden 2·2, logits 2·3.
  const trained = 2 * (128 * (8 + 12) + 4 + 6);
  expect(paperWork(model).upTo(0, 5)).toBe(2 * 128 * (3 * 4 + 128) + trained);
});

it('grows with the square of the length only where attention is counted', () => {
  expect(paperWork(tiny).upTo(1, 5)).toBe(paperWork(tiny).upTo(1, 500));
  const of = (tokens: number): number => countedWork(tiny).upTo(2, tokens);
  const second = (tokens: number): number => of(tokens + 1) - 2 * of(tokens) + of(tokens - 1);
  expect(second(7)).toBe(2 * 2 * 4 * 4);
});
