import { describe, expect, it } from 'vitest';
import { PeerAnswerError, readPeerAnswer } from './peer-answer.js';

const answer = {
  labels: [0, 3, 1],
  wallSeconds: 2.5,
  cpuSeconds: 4.75,
  processCpuSeconds: 9,
  peakBytes: 900_000_000,
  notes: { attention: 'sdpa' },
  versions: { python: '3.11.7' },
};

describe('readPeerAnswer', () => {
  it('takes what run_peer.py writes', () => {
    expect(readPeerAnswer(JSON.stringify(answer), 3, 4)).toEqual(answer);
  });

  it.each([
    ['no JSON', '{"labels":', 3, 4],
    ['a time of nothing', JSON.stringify({ ...answer, wallSeconds: 0 }), 3, 4],
    ['a label that is no number', JSON.stringify({ ...answer, labels: ['Sports', 1, 2] }), 3, 4],
    ['a missing figure', JSON.stringify({ ...answer, peakBytes: undefined }), 3, 4],
    ['rows that were lost', JSON.stringify(answer), 4, 4],
    ['a label that the model has not', JSON.stringify(answer), 3, 3],
  ])('refuses %s', (_, json, rows, labels) => {
    expect(() => readPeerAnswer(json, rows, labels)).toThrow(PeerAnswerError);
  });
});
