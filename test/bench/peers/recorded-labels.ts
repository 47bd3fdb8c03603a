import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The label that a checkpoint's own expectations record for a text, at the last exit, by the text. */
export type RecordedLabels = ReadonlyMap<string, number>;

/** Reads `expected.jsonl` of a checkpoint; empty where there is none. */
export async function recordedLabels(checkpoint: string): Promise<RecordedLabels> {
  const path = join(checkpoint, 'expected.jsonl');
  if (!existsSync(path)) return new Map();
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line): [string, number] => {
      const { text, exits }: { text: string; exits: readonly { readonly probs: readonly number[] }[] } =
        JSON.parse(line);
      const { probs } = exits.at(-1)!;
      return [text, probs.indexOf(Math.max(...probs))];
    }),
  );
}
