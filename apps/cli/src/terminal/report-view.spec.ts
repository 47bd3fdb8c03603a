import { expect, it } from 'vitest';
import { plainPaint } from './paint.js';
import type { ShownReport } from './report-view.js';
import { reportLines } from './report-view.js';

const layout = { paint: plainPaint, width: 80 };

const report: ShownReport = {
  rows: 5911,
  accepted: 5908,
  rejected: 3,
  rejectedByReason: { 'too-long': 1, unparseable: 2 },
  truncated: 3021,
  labels: [
    { label: 'ham', rows: 4100 },
    { label: 'spam', rows: 1808 },
  ],
  exits: [
    { layer: 0, rows: 5312, share: 5312 / 5908 },
    { layer: 1, rows: 595, share: 595 / 5908 },
    { layer: 6, rows: 1, share: 1 / 5908 },
  ],
  meanLayers: 0.1017,
  layersSaved: 0.98305,
  quality: {
    rows: 5900,
    unknownLabels: 8,
    accuracy: 0.9841,
    macroF1: 0.98149,
    classes: [
      { label: 'ham', rows: 4108, precision: 0.989, recall: 0.991, f1: 0.99 },
      { label: 'spam', rows: 1792, precision: 0.976, recall: 0.971, f1: 0.973 },
    ],
    confusion: [],
  },
  lastSession: { rows: 4887, rowsRepeated: 1301, seconds: 4.06, rowsPerSecond: 1203.7 },
};

it('shows all there is', () => {
  expect(reportLines(report, 6, layout)).toEqual([
    'Labelled 5,908 of 5,911 rows in 4.1 s, 1,204 rows/s',
    '1,024 rows were labelled before and resumed',
    '1,301 rows were like others and took their answers',
    '0.10 of 6 layers a row: 98.3 % of layers saved',
    'accuracy 98.4 %, macro-F1 0.981 on 5,900 rows with a label',
    '8 rows with a label that the model does not know',
    "3,021 rows cut to the model's maximum length",
    '',
    'exit   rows   share   so far',
    '   0  5,312  89.9 %   89.9 %  █████████████████████▋',
    '   1    595  10.1 %   99.9 %  ██▍',
    '   6      1   0.1 %  100.0 %  ▏',
    '',
    'label   rows   share  given  precision  recall     F1',
    'ham    4,100  69.4 %  4,108      0.989   0.991  0.990',
    'spam   1,808  30.6 %  1,792      0.976   0.971  0.973',
    '',
    'rejected     rows',
    'unparseable     2',
    'too-long        1',
  ]);
});

it('leaves out what there is not', () => {
  const plain = {
    ...report,
    rows: 5908,
    rejected: 0,
    rejectedByReason: {},
    truncated: 0,
    exits: report.exits.map(({ layer, rows, share }) => ({ layer, rows, share })),
    quality: undefined,
    lastSession: { rows: 5908, rowsRepeated: 0, seconds: 4.9, rowsPerSecond: 1205.7 },
  };
  expect(reportLines(plain, 6, layout)).toEqual([
    'Labelled 5,908 rows in 4.9 s, 1,206 rows/s',
    '0.10 of 6 layers a row: 98.3 % of layers saved',
    '',
    'exit   rows   share   so far',
    '   0  5,312  89.9 %   89.9 %  █████████████████████▋',
    '   1    595  10.1 %   99.9 %  ██▍',
    '   6      1   0.1 %  100.0 %  ▏',
    '',
    'label   rows   share',
    'ham    4,100  69.4 %',
    'spam   1,808  30.6 %',
  ]);
});

it('shows a run without a good row', () => {
  const empty: ShownReport = {
    ...report,
    rows: 3,
    accepted: 0,
    truncated: 0,
    labels: report.labels.map(({ label }) => ({ label, rows: 0 })),
    exits: [],
    meanLayers: 0,
    layersSaved: 0,
    quality: undefined,
    lastSession: { rows: 3, rowsRepeated: 0, seconds: 0.01, rowsPerSecond: 300 },
  };
  expect(reportLines(empty, 6, layout)).toEqual([
    'Labelled 0 of 3 rows in 0.0 s, 300 rows/s',
    '',
    'rejected     rows',
    'unparseable     2',
    'too-long        1',
  ]);
});

it('shows the most frequent of many labels', () => {
  const labels = Array.from({ length: 150 }, (_, index) => ({ label: `topic ${index}`, rows: index }));
  const lines = reportLines({ ...report, labels, quality: undefined }, 6, layout);
  expect(lines).toContain('topic 149   149  2.5 %');
  expect(lines).toContain('and 130 rarer labels in report.json');
  expect(lines.filter((line) => line.startsWith('topic'))).toHaveLength(20);
});
