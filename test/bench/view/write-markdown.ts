import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { BenchConfiguration } from '../configuration.js';
import type { BenchResult } from '../result-file.js';
import type { BenchSummary } from '../summary.js';
import { configurationLines } from './configuration-lines.js';
import { markdownTable } from './markdown-table.js';
import type { MemoryRun } from '../memory.js';
import { memoryPlot } from './memory-plot.js';
import { fixed } from './spread-text.js';
import { phasePlot } from './phase-plot.js';
import { checksOf } from './plain-tables.js';
import type { ResultTable } from './table.js';
import { throughputPlot } from './throughput-plot.js';

/** Writes the tables to `path`, and the plots to files beside it whose names begin with its name. */
export async function writeMarkdown(
  path: string,
  { begun, configuration, summary }: BenchResult<BenchConfiguration, BenchSummary>,
  tables: readonly ResultTable[],
): Promise<void> {
  const folder = dirname(path);
  const name = basename(path, extname(path));
  await mkdir(folder, { recursive: true });
  const plots = [
    { name: 'throughput', alt: 'texts per second of each variant', svg: throughputPlot(summary.variants) },
    { name: 'phases', alt: 'processor time by phase', svg: phasePlot(summary.phases) },
    { name: 'memory', alt: 'resident memory over rows', svg: memoryOfRuns(summary.memory) },
  ];
  const images: string[] = [];
  for (const { name: plot, alt, svg } of plots) {
    if (svg === undefined) continue;
    const file = `${name}-${plot}.svg`;
    await writeFile(join(folder, file), svg);
    images.push(`![${alt}](${file})`, '');
  }
  const lines = [
    `Measured ${begun.slice(0, 10)} by \`npm run bench\`: median (least–most) over ${configuration.rounds} rounds.`,
    '',
    ...configurationLines(configuration).map((line) => `- ${line}`),
    '',
    ...images,
    ...tables.flatMap(markdownTable),
    '## Checked',
    '',
    ...checksOf(summary.checks).map((check) => `- ${check}`),
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
}

/** A line for each run of `sluice label`. */
function memoryOfRuns(runs: readonly MemoryRun[]): string | undefined {
  return memoryPlot({
    title: 'Resident memory of sluice label',
    rows: Math.max(...runs.map(({ rows }) => rows)),
    lines: runs.map(({ rows, series }) => ({ name: `${fixed(rows, 0)} rows`, samples: series })),
  });
}
