import type { Spread } from '../statistics.js';
import type { BenchSummary, VariantSummary } from '../summary.js';
import { fixed, percentSpread, spreadText } from './spread-text.js';
import type { ResultTable } from './table.js';

const MEBIBYTE = 2 ** 20;

/** The tables that a result has something for. */
export function resultTables(summary: BenchSummary): ResultTable[] {
  const tables = [
    roofTable(summary),
    engineTable(summary),
    ratioTable(summary),
    earlyExitTable(summary),
    labelTable(summary),
    phaseTable(summary),
    memoryTable(summary),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function roofTable({ variants }: BenchSummary): ResultTable {
  return {
    title: 'GEMM roof',
    note: 'Only the matmuls of all layers, on the batches and threads of the run at full depth. The int8 roof quantises each input, as the model does.',
    columns: ['', 'GFLOP/s', 'texts/s', 'processor s'],
    rows: variants
      .filter(({ variant }) => variant.startsWith('roof-'))
      .map((one) => [
        one.title,
        figure(one, 'gflops', 0),
        spreadText(one.textsPerSecond, 0),
        spreadText(one.cpuSeconds, 2),
      ]),
  };
}

function engineTable({ variants }: BenchSummary): ResultTable {
  return {
    title: 'Stage engine',
    note: 'Rows that were tokenised before. GFLOP/s count what was executed, exits and attention included.',
    columns: ['', 'texts/s', 'GFLOP/s', 'mean layers', 'accuracy', 'processor s', 'peak MiB'],
    rows: variants
      .filter(({ figures }) => figures['meanLayers'] !== undefined)
      .map((one) => [
        one.title,
        spreadText(one.textsPerSecond, 0),
        figure(one, 'gflops', 0),
        figure(one, 'meanLayers', 2),
        figure(one, 'accuracy', 3),
        spreadText(one.cpuSeconds, 2),
        mebibytes(one.peakBytes),
      ]),
  };
}

function ratioTable({ ratios }: BenchSummary): ResultTable {
  return {
    title: 'Ratios',
    note: 'Time ÷ time within each round; median (least–most) over the rounds. A share of the roof is the same ratio: time of the roof ÷ time of the run.',
    columns: ['', 'by wall time', 'by processor time'],
    rows: ratios.map(({ name, wall, cpu }) =>
      name.includes('share')
        ? [name, percentSpread(wall), percentSpread(cpu)]
        : [name, times(wall), times(cpu)],
    ),
  };
}

function earlyExitTable({ earlyExit }: BenchSummary): ResultTable {
  return {
    title: 'Early exit against int8 full depth',
    note: 'A: FLOPs at full depth ÷ FLOPs executed, exits and attention counted. R: time at full depth ÷ time with early exits, the engine alone.',
    columns: ['', 'A', 'R', 'R ÷ A', 'R, processor', 'R ÷ A, processor'],
    rows: earlyExit.map(({ algorithmic, realised, share }) => [
      realised.name,
      `${fixed(algorithmic, 2)} ×`,
      times(realised.wall),
      spreadText(share.wall, 2),
      times(realised.cpu),
      spreadText(share.cpu, 2),
    ]),
  };
}

function labelTable({ variants }: BenchSummary): ResultTable {
  return {
    title: 'File to file',
    note: '`sluice label` in a process of its own: with its start and end, and from the first row read to the last commit.',
    columns: ['', 'texts/s', 'texts/s without start', 'first label s', 'processor s', 'peak MiB'],
    rows: variants
      .filter(({ figures }) => figures['firstLabelSeconds'] !== undefined)
      .map((one) => [
        one.title,
        spreadText(one.textsPerSecond, 0),
        figure(one, 'labellingTextsPerSecond', 0),
        figure(one, 'firstLabelSeconds', 2),
        spreadText(one.cpuSeconds, 2),
        mebibytes(one.peakBytes),
      ]),
  };
}

function phaseTable({ phases, startCpuSeconds }: BenchSummary): ResultTable {
  const start =
    startCpuSeconds === undefined ? '' : ` The start costs ${spreadText(startCpuSeconds, 2, ' s')} once.`;
  return {
    title: 'Processor time by phase',
    note: `Early exit from exit 0, file to file, one phase after the other; seconds for 1,000 texts, all threads. Batching is the main thread while stages run: rows of the same tokens, pools by length, messages.${start}`,
    columns: ['', 's for 1,000 texts', 'share'],
    rows: phases.map(({ phase, cpuSecondsPer1000, share }) => [
      phase,
      spreadText(cpuSecondsPer1000, 4),
      `${fixed(100 * share, 1)} %`,
    ]),
  };
}

function memoryTable({ memory }: BenchSummary): ResultTable {
  return {
    title: 'Memory over long corpora',
    note: '`sluice label`, early exit from exit 0. The slope is fitted behind the first 100,000 rows.',
    columns: ['rows', 'peak MiB', 'MiB more for 100,000 rows', 'texts/s'],
    rows: memory.map(({ rows, peakBytes, slopeBytesPer100k, rowsPerSecond }) => [
      fixed(rows, 0),
      fixed(peakBytes / MEBIBYTE, 0),
      slopeBytesPer100k === undefined ? '' : fixed(slopeBytesPer100k / MEBIBYTE, 2),
      fixed(rowsPerSecond, 0),
    ]),
  };
}

function figure({ figures }: VariantSummary, name: string, decimals: number): string {
  const spread = figures[name];
  return spread === undefined ? '' : spreadText(spread, decimals);
}

function times(ratio: Spread): string {
  return spreadText(ratio, 2, ' ×');
}

function mebibytes({ median, least, most }: Spread): string {
  return spreadText({ median: median / MEBIBYTE, least: least / MEBIBYTE, most: most / MEBIBYTE }, 0);
}
