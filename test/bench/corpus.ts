import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeDemoCorpus } from '../../apps/cli/src/demo/demo-corpus.js';
import type { RowsOfModel } from '#corpus/corpus-options.js';
import { openCorpus } from '#corpus/open-corpus.js';
import type { SampleTexts } from '#model/compile/sample-texts.js';

/** The rows that every variant works on. */
export interface BenchCorpus {
  /** Names of the files that they come from. */
  readonly files: readonly string[];
  /** A jsonl file of them all, with the fields `id`, `text` and, where labels are known, `label`. */
  readonly path: string;
  readonly sha256: string;
  readonly texts: readonly string[];
  readonly golds: readonly (string | undefined)[];
  /** The first texts of the first file. */
  readonly calibration: SampleTexts;
}

export interface CorpusChoice {
  readonly files: readonly string[];
  /** Fields that are left out are recognised, where a model is given for which. */
  readonly recognise?: RowsOfModel | undefined;
  readonly textField?: string | undefined;
  readonly labelField?: string | undefined;
  /** So many rows at even distances; all when left out. */
  readonly rows?: number | undefined;
}

const CALIBRATION_ROWS = 512;

/** Reads the files and writes their rows to one. @throws CorpusOpenError */
export async function prepareCorpus(choice: CorpusChoice, folder: string): Promise<BenchCorpus> {
  const texts: string[] = [];
  const golds: (string | undefined)[] = [];
  let calibration: SampleTexts = { texts: [] };
  for (const file of choice.files) {
    const { textField, labelField, recognise } = choice;
    const corpus = await openCorpus({ paths: [file], textField, labelField, recognise });
    for await (const chunk of corpus.chunks()) {
      texts.push(...chunk.texts);
      golds.push(...(chunk.golds ?? chunk.texts.map(() => undefined)));
    }
    await corpus.close();
    if (calibration.texts.length === 0) calibration = { texts: texts.slice(0, CALIBRATION_ROWS) };
  }
  if (texts.length === 0) throw new Error(`There is no text in ${choice.files.join(', ')}.`);
  const chosen = atEvenDistances(texts.length, choice.rows ?? texts.length);
  const path = join(folder, 'corpus.jsonl');
  const lines = chosen.map((row, id) => `${JSON.stringify({ id, text: texts[row], label: golds[row] })}\n`);
  await writeFile(path, lines);
  return {
    files: choice.files.map((file) => basename(file)),
    path,
    sha256: createHash('sha256').update(lines.join('')).digest('hex'),
    texts: chosen.map((row) => texts[row]!),
    golds: chosen.map((row) => golds[row]),
    calibration,
  };
}

/** The mails that `sluice demo` labels, written once to the folder. @returns path of a jsonl file */
export async function demoCorpus(folder: string): Promise<string> {
  const path = join(folder, 'mails.jsonl');
  if (existsSync(path)) return path;
  await writeDemoCorpus(path);
  return path;
}

function atEvenDistances(all: number, wanted: number): number[] {
  const count = Math.min(all, wanted);
  return Array.from({ length: count }, (_, index) => Math.floor((index * all) / count));
}
