import { describe, expect, test } from 'vitest';
import { checkSteps } from './check-steps.js';
import { placedRequestSchema, trainingRequestSchema } from './training-steps.js';

const train = { kind: 'train', base: 'letters', data: 'train.jsonl' };
const distil = { kind: 'distil', base: 'letters', data: 'texts.jsonl' };
const compile = { kind: 'compile', base: 'letters' };
const request = (step: object): object => ({ name: 'letters', steps: [step] });

describe('trainingRequestSchema', () => {
  test.each([
    ['no exits', { ...distil, exits: [] }],
    ['an exit twice', { ...distil, exits: [1, 1] }],
    ['stages without a layer', { ...compile, stages: [] }],
    ['exits to keep twice', { ...compile, exits: [0, 2, 0] }],
    [
      'heads that do not divide the hidden size',
      { ...train, fromScratch: { layers: 1, hiddenSize: 30, heads: 4 } },
    ],
    ['epochs for years', { ...train, epochs: 1_000_000_000 }],
  ])('refuses %s', (_, step) => {
    expect(trainingRequestSchema.safeParse(request(step)).success).toBe(false);
  });

  test.each([
    { ...distil, exits: [0, 1] },
    { ...train, epochs: 10_000, fromScratch: { layers: 1, hiddenSize: 32, heads: 4 } },
  ])('takes %j', (step) => expect(trainingRequestSchema.safeParse(request(step)).success).toBe(true));
});

test.each([train, distil])('heads that do not divide an exit are refused: %j', (step) => {
  const { steps } = trainingRequestSchema.parse(request({ ...step, exitSize: 30, exitHeads: 4 }));
  expect(() => checkSteps(steps)).toThrow('exitSize must be a multiple of exitHeads');
});

test.each([train, distil, compile])('the base of a kept request is a path of any length: %j', (step) => {
  const base = `/${'folder/'.repeat(60)}letters`;
  const parsed = placedRequestSchema.parse({ ...request({ ...step, base }), promote: false });
  expect(parsed.steps[0]).toMatchObject({ base });
});
