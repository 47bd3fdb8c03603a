/** Runs over the toy ports, in one call. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { LabelRunOptions, LabelRunParts, LabelRunResult } from '#pipeline/label-run.js';
import { labelRun } from '#pipeline/label-run.js';
import { LocalChunkLabeller } from '#pipeline/local-chunk-labeller.js';
import type { ChunkLabeller, RowLabeller, Tokenizer } from '#pipeline/ports.js';
import type { OpenRunOptions } from '#pipeline/run-directory/run-directory.js';
import { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import type { RunSettings } from '#pipeline/run-directory/run-record.js';
import { ToyCorpus, ToyLabeller, ToyTokenizer, ToyWriter, toyLabels, toyLayers } from './toy-ports.js';

export interface ToyRun {
  /** Holds `corpus.txt`; gets `out.txt` and `out.txt.run`. */
  readonly folder: string;
  /** Name of the run directory, where it is not `out.txt.run`. */
  readonly runFolder?: string;
  readonly chunkRows?: number;
  readonly settings?: Partial<RunSettings>;
  readonly open?: OpenRunOptions;
  readonly parts?: Partial<Omit<LabelRunParts, 'labeller'>> & {
    readonly tokenizer?: Tokenizer;
    readonly labeller?: RowLabeller;
  };
  /** In place of tokenizer and labeller: who labels the chunks of the run. */
  readonly fleet?: (run: RunDirectory) => ChunkLabeller | Promise<ChunkLabeller>;
  readonly options?: Partial<LabelRunOptions>;
}

export interface ToyRunResult extends LabelRunResult {
  readonly corpus: ToyCorpus;
  readonly notes: readonly string[];
  readonly rowsResumed: number;
}

export async function toyRun(toy: ToyRun): Promise<ToyRunResult> {
  const corpusPath = join(toy.folder, 'corpus.txt');
  const settings: RunSettings = {
    files: [{ path: 'corpus.txt', bytes: (await readFile(corpusPath)).length }],
    bundle: 'b'.repeat(64),
    format: 'txt',
    policy: new Map([
      [0, 0.2],
      [toyLayers, 0.2],
    ]),
    options: { textField: 'text', fields: ['text'] },
    fingerprint: 'toy',
    chunkRows: toy.chunkRows ?? 10,
    ...toy.settings,
  };
  const run = await RunDirectory.open(join(toy.folder, toy.runFolder ?? 'out.txt.run'), settings, toy.open);
  try {
    const corpus = new ToyCorpus(corpusPath, run.record.chunkRows);
    const { tokenizer = new ToyTokenizer(), labeller = new ToyLabeller(), ...others } = toy.parts ?? {};
    const parts: LabelRunParts = {
      run,
      corpus,
      labeller: (await toy.fleet?.(run)) ?? new LocalChunkLabeller(tokenizer, labeller),
      writer: new ToyWriter(),
      labels: toyLabels,
      layers: toyLayers,
      ...others,
    };
    let rowsResumed = 0;
    const result = await labelRun(parts, {
      output: join(toy.folder, 'out.txt'),
      ...toy.options,
      onProgress: (progress) => {
        rowsResumed = progress.rowsResumed;
        toy.options?.onProgress?.(progress);
      },
    });
    return { ...result, corpus, notes: run.notes, rowsResumed };
  } finally {
    await run.close();
  }
}

/** What must be the same however a run came to its end. */
export interface RunOutcome {
  readonly output: string;
  readonly rejects: string;
  readonly plan: string;
  readonly success: string;
  readonly report: unknown;
  /** Names of all files. */
  readonly files: readonly string[];
}

export async function outcomeOf(folder: string): Promise<RunOutcome> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const report: unknown = JSON.parse(await read('out.txt.run/report.json'), (key, value: unknown) =>
    key === 'lastSession' || key === 'run' ? undefined : value,
  );
  return {
    output: await read('out.txt'),
    rejects: await read('out.txt.run/rejects.jsonl'),
    plan: await read('out.txt.run/plan.jsonl'),
    success: await read('out.txt.run/_SUCCESS'),
    report,
    files: (await readdir(folder, { recursive: true })).sort(),
  };
}

/** Flips one bit of a file. */
export async function damage(path: string, at = 0): Promise<void> {
  const bytes = await readFile(path);
  bytes[at % bytes.length]! ^= 1;
  await writeFile(path, bytes);
}
