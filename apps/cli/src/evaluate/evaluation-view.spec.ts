import { expect, it } from 'vitest';
import { proportion } from '#pipeline/evaluation/proportion.js';
import { qualityOf } from '#pipeline/report/quality.js';
import { plainPaint } from '../terminal/paint.js';
import { evaluationLines } from './evaluation-view.js';
import type { EvaluatedPolicy, Evaluation } from './evaluation.js';

const layout = { paint: plainPaint, width: 100 };

const policy: EvaluatedPolicy = {
  name: '0.1',
  thresholds: { 0: 0.1, 2: 0.1 },
  accuracy: proportion(15, 16),
  agreement: proportion(20, 20),
  quality: qualityOf(
    {
      confusion: [
        [9, 0],
        [1, 6],
      ],
      unknown: 1,
    },
    ['ham', 'spam'],
  ),
  positive: { label: 'spam', precision: proportion(6, 6), recall: proportion(6, 7) },
  meanLayers: 0.4,
  work: { executed: 20, full: 100, saved: 0.8 },
  paperWork: { executed: 23, full: 100, saved: 0.77 },
  exits: [
    { layer: 0, rows: 16, share: 0.8, accuracy: proportion(14, 14), agreement: proportion(16, 16) },
    { layer: 2, rows: 4, share: 0.2, accuracy: undefined, agreement: proportion(4, 4) },
  ],
  textsPerSecond: { median: 1234.4, least: 9.5, most: 2000 },
};

const evaluation: Evaluation = {
  corpus: ['mails.jsonl'],
  model: 'spam',
  bundle: '',
  fingerprint: '',
  rows: 22,
  rejected: 2,
  rejectedByReason: { 'no-text-field': 1, unparseable: 1 },
  truncated: 3,
  tokens: 200,
  labels: ['ham', 'spam'],
  layers: 2,
  exits: [
    { layer: 0, accuracy: proportion(14, 16), agreement: proportion(18, 20) },
    { layer: 2, accuracy: proportion(15, 16), agreement: proportion(20, 20) },
  ],
  policies: [policy],
  timing: { texts: 20, rounds: 3, workers: 2 },
};

it('shows every policy, every exit, and one policy in detail', () => {
  expect(evaluationLines(evaluation, policy, layout)).toEqual([
    'Evaluated 20 rows with spam',
    '2 rows rejected: no-text-field 1, unparseable 1',
    '16 rows with a label',
    '1 row with a label that the model does not know',
    "3 rows cut to the model's maximum length",
    'in brackets: 95 % intervals',
    'texts/s: stage engine alone, 20 of the texts, 2 threads, median of 3 (least–most)',
    '',
    'policy            accuracy  macro-F1  precision spam  recall spam      as at full depth',
    '0.1     93.8 (71.7–98.9) %     0.935         100.0 %       85.7 %  100.0 (83.9–100.0) %',
    '',
    "policy  layers a text  FLOPs saved  by the paper's count            texts/s",
    '0.1              0.40       80.0 %                77.0 %  1,234 (9.5–2,000)',
    '',
    'exit alone            accuracy      as at full depth',
    '         0  87.5 (64.0–96.5) %    90.0 (69.9–97.2) %',
    '         2  93.8 (71.7–98.9) %  100.0 (83.9–100.0) %',
    '',
    'leave at exit     0.1',
    '            0  80.0 %',
    '            2  20.0 %',
    '',
    'With policy 0.1',
    '',
    'exit  rows   share      accuracy of them      as at full depth',
    '   0    16  80.0 %  100.0 (78.5–100.0) %  100.0 (80.6–100.0) %  ███████████████████▎',
    '   2     4  20.0 %                        100.0 (51.0–100.0) %  ████▊',
    '',
    'label  given  precision  recall     F1',
    'ham        9      0.900   1.000  0.947',
    'spam       7      1.000   0.857  0.923',
    '',
    'given ↓  labelled →  ham  spam',
    'ham                    9     0',
    'spam                   1     6',
  ]);
});

it('shows no accuracy without labels, and nothing to share out without a good row', () => {
  const unlabelled: EvaluatedPolicy = {
    ...policy,
    accuracy: undefined,
    quality: undefined,
    positive: undefined,
    exits: policy.exits.map((exit) => ({ ...exit, accuracy: undefined })),
  };
  const exits = evaluation.exits.map((exit) => ({ ...exit, accuracy: undefined }));
  const lines = evaluationLines({ ...evaluation, exits, policies: [unlabelled] }, unlabelled, layout);
  expect(lines).toContain('no labels given, so no accuracy: name their field with --label-field');
  expect(lines.join('\n')).not.toMatch(/F1|accuracy  |precision/);
  const rejected = { ...evaluation, rows: 2, exits, policies: [unlabelled], timing: undefined };
  expect(evaluationLines(rejected, unlabelled, layout)).toHaveLength(5);
});
