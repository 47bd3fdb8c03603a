import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Split } from './demo-corpus.js';

const rowSchema = z.object({ split: z.string(), input_label: z.string(), label: z.string() });

/** Rows of one split in the labelled demo corpus, and the share of them that were labelled right. */
export async function splitAccuracy(path: string, split: Split): Promise<{ rows: number; accuracy: number }> {
  let rows = 0;
  let right = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const row = rowSchema.parse(JSON.parse(line));
    if (row.split !== split) continue;
    rows += 1;
    if (row.label === row.input_label) right += 1;
  }
  return { rows, accuracy: right / rows };
}
