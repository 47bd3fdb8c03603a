import { expect, it } from 'vitest';
import { groupNames } from './group-names.js';

it('puts the tensors of a module together, in the order of the first, and leaves single ones as they are', () => {
  const names = [
    'cls.predictions.bias',
    'bert.embeddings.position_ids',
    'cls.predictions.decoder.weight',
    'cls.seq_relationship.weight',
    'step',
  ];
  expect(groupNames(names)).toEqual([
    '2 tensors of cls.predictions.*',
    'bert.embeddings.position_ids',
    'cls.seq_relationship.weight',
    'step',
  ]);
});
