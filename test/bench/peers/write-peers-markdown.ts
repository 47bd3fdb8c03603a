import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { BenchResult } from '../result-file.js';
import { configurationLines } from '../view/configuration-lines.js';
import { markdownTable } from '../view/markdown-table.js';
import type { ResultTable } from '../view/table.js';
import { throughputPlot } from '../view/throughput-plot.js';
import type { PeersConfiguration } from './peers-configuration.js';
import { peersConfigurationLines } from './peers-configuration.js';
import type { PeersSummary } from './peers-summary.js';

/** Writes the tables to `path`, and a plot to a file beside it whose name begins with its name. */
export async function writePeersMarkdown(
  path: string,
  { begun, configuration, summary }: BenchResult<PeersConfiguration, PeersSummary>,
  tables: readonly ResultTable[],
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const image: string[] = [];
  const svg = throughputPlot(summary.variants);
  if (svg !== undefined) {
    const file = `${basename(path, extname(path))}-throughput.svg`;
    await writeFile(join(folder, file), svg);
    image.push(`![texts per second of Sluice and its peers](${file})`, '');
  }
  const rounds = configuration.rounds === 1 ? '1 round' : `${configuration.rounds} rounds`;
  const lines = [
    `Measured ${begun.slice(0, 10)} by \`npm run bench:peers\`: median (least–most) over ${rounds}.`,
    '',
    ...[...configurationLines(configuration), ...peersConfigurationLines(configuration)].map(
      (line) => `- ${line}`,
    ),
    '',
    ...image,
    ...tables.flatMap(markdownTable),
    '## Checked',
    '',
    ...summary.checks.map((check) => `- ${check}`),
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
}
