import type { Spread } from '../statistics.js';
import type { VariantSummary } from '../summary.js';
import { fixed, spreadText } from '../view/spread-text.js';
import type { ResultTable } from '../view/table.js';
import type { PeersSummary } from './peers-summary.js';

const MEBIBYTE = 2 ** 20;

export function peersTables({ variants, ratios }: PeersSummary): ResultTable[] {
  return [throughputTable(variants), ratioTable(ratios)].filter(({ rows }) => rows.length > 0);
}

function throughputTable(variants: readonly VariantSummary[]): ResultTable {
  return {
    title: 'Texts per second',
    note:
      'Of a peer: from the first text to the last label in memory, the model loaded, tokenising included. ' +
      'Of `sluice label`: the whole process from file to file, start, reading, writing and commits included.',
    columns: ['', 'texts/s', 'processor s', 'peak MiB', 'accuracy'],
    rows: variants.map(({ title, textsPerSecond, cpuSeconds, peakBytes, figures }) => [
      title,
      spreadText(textsPerSecond, 0),
      spreadText(cpuSeconds, 2),
      spreadText(scaled(peakBytes, 1 / MEBIBYTE), 0),
      figures['accuracy'] === undefined ? '' : fixed(figures['accuracy'].median, 3),
    ]),
  };
}

function ratioTable(ratios: PeersSummary['ratios']): ResultTable {
  return {
    title: 'How many times faster',
    note:
      "Peer's time ÷ that of Sluice within each round; median (least–most) over the rounds. Without start: Sluice from the " +
      'first row read to the last commit. By processor: the time of all threads, that of the whole process for Sluice.',
    columns: ['', 'whole process', 'without start', 'by processor'],
    rows: ratios.map(({ sluiceTitle, peerTitle, wholeProcess, withoutStart, processor }) => [
      `${sluiceTitle} over ${peerTitle}`,
      ...[wholeProcess, withoutStart, processor].map((ratio) => spreadText(ratio, 1, ' ×')),
    ]),
  };
}

function scaled({ median, least, most }: Spread, by: number): Spread {
  return { median: median * by, least: least * by, most: most * by };
}
