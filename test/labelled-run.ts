/** What a run of `sluice label` left behind. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What must be the same however a run came to its end. */
export interface LabelledRun {
  readonly output: string;
  readonly rejects: string;
  /** Without the run's own name and what its last process measured. */
  readonly report: unknown;
  /** Names of all files in the run's folder and below. */
  readonly files: readonly string[];
}

/** @param out file in a folder that holds nothing but a run's input, output and run directory */
export async function labelledRun(folder: string, out: string): Promise<LabelledRun> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  return {
    output: await read(out),
    rejects: await read(`${out}.run/rejects.jsonl`),
    report: JSON.parse(await read(`${out}.run/report.json`), (key, value: unknown) =>
      key === 'lastSession' || key === 'run' ? undefined : value,
    ),
    files: (await readdir(folder, { recursive: true })).sort(),
  };
}
