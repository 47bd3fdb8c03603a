import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spamBundle } from '../run-cli.js';
import type { HostileCase, HostileStep } from './hostile-case.js';

/** What every `sluice label` here is told, unless it is told otherwise; the page says so once. */
const usual = ['--model', spamBundle, '--out', 'out.jsonl', '--workers', '1'];

export function labelArgs(corpus: string, ...options: string[]): string[] {
  return ['label', corpus, ...usual, ...options];
}

/** The command as the page shows it. */
export function shownCommand(args: readonly string[]): string {
  return ['sluice', ...args].join(' ').replace(` ${usual.join(' ')}`, '');
}

export interface CorpusExpected extends Omit<HostileStep, 'args' | 'exit'> {
  readonly exit?: HostileStep['exit'];
  readonly options?: readonly string[];
}

/** One labelling of a file of this name and content. */
export function corpusCase(
  name: string,
  file: string,
  content: string | Uint8Array | Iterable<string | Uint8Array>,
  { exit = 0, options = [], ...expected }: CorpusExpected,
): HostileCase {
  return {
    name,
    make: (folder) => writePieces(join(folder, file), content),
    steps: [{ args: labelArgs(file, ...options), exit, ...expected }],
  };
}

/** A row of a corpus of hostile rows, and why it is rejected if it is. */
export interface HostileRow {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  readonly reason?: string;
}

/** One labelling of many hostile rows, each followed by a line feed. */
export function rowsCase(
  name: string,
  file: string,
  rows: readonly HostileRow[],
  { head = '', ...expected }: Partial<CorpusExpected> & { readonly head?: string } = {},
): HostileCase {
  const rejects: Record<string, number> = {};
  for (const { reason } of rows) if (reason !== undefined) rejects[reason] = (rejects[reason] ?? 0) + 1;
  const content = [head, ...rows.flatMap(({ bytes }) => [bytes, '\n'])];
  return {
    ...corpusCase(name, file, content, { rows: rows.length, rejects, ...expected }),
    rowNames: rows.map((row) => row.name),
  };
}

/** Writes piece by piece: some files are larger than a test should hold. */
export async function writePieces(
  path: string,
  content: string | Uint8Array | Iterable<string | Uint8Array>,
): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) return writeFile(path, content);
  const file = await open(path, 'w');
  try {
    for (const piece of content) await file.writeFile(piece);
  } finally {
    await file.close();
  }
}

/** `count` times the same mebibyte. */
export function* mebibytes(count: number, character: string): Generator<Buffer> {
  const block = Buffer.alloc(2 ** 20, character);
  for (let index = 0; index < count; index++) yield block;
}
