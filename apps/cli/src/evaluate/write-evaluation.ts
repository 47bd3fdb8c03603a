import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Evaluation } from './evaluation.js';
import { leavingPlot } from './plots/leaving-plot.js';
import { qualityPlot } from './plots/quality-plot.js';

/** Writes the figures and, where there are rows, the plots. @returns the paths */
export async function writeEvaluation(directory: string, evaluation: Evaluation): Promise<string[]> {
  const files = new Map([['evaluation.json', `${JSON.stringify(evaluation, null, 2)}\n`]]);
  if (evaluation.rows > evaluation.rejected) {
    files.set('quality-over-work.svg', qualityPlot(evaluation));
    files.set('rows-per-exit.svg', leavingPlot(evaluation));
  }
  const paths = [];
  for (const [name, text] of files) {
    const path = join(directory, name);
    await writeFile(path, text);
    paths.push(path);
  }
  return paths;
}
