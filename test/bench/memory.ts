import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BenchCheckError } from './checks.js';
import type { BundleKind } from './models.js';
import { memoryBytes } from './process-usage.js';
import { runLabel } from './run-label.js';
import { fitLine } from './statistics.js';
import type { BenchWork } from './variants/variant.js';
import { bundleOf } from './variants/variant.js';

export interface MemorySample {
  /** From the start of the process. */
  readonly seconds: number;
  /** Committed. */
  readonly rows: number;
  /** Resident. */
  readonly bytes: number;
}

/** `sluice label` on so many rows. */
export interface MemoryRun {
  readonly rows: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly peakBytes: number;
  /** Of the output: what another run of the same rows must give, however it was interrupted. */
  readonly sha256: string;
  /** Growth for 100,000 rows, fitted behind the warm-up; absent where there are too few samples behind it. */
  readonly slopeBytesPer100k?: number | undefined;
  /** Each second. */
  readonly series: readonly MemorySample[];
}

/** The bundle that is measured. */
export const MEMORY_BUNDLE: BundleKind = 'int8-from-0';

const WARM_UP_ROWS = 100_000;
/** The default of `sluice label`. */
const CHUNK_ROWS = 1024;

/** Measures the memory of `sluice label` over its run. */
export async function measureMemory(work: BenchWork, rows: number): Promise<MemoryRun> {
  const corpus = join(work.folder, `corpus-${rows}.jsonl`);
  await pipeline(distinctRows(work.corpus.texts, rows), createWriteStream(corpus));
  const series: MemorySample[] = [];
  const run = await runLabel(
    {
      corpus,
      bundle: bundleOf(work, MEMORY_BUNDLE).directory,
      speed: work.speed,
      workers: work.workers,
      batchTokens: work.batchTokens,
      folder: join(work.folder, 'memory'),
    },
    {
      everyMs: 1000,
      look(pid, seconds, committed) {
        const bytes = memoryBytes(pid, 'VmRSS');
        if (bytes === undefined) return;
        // The merge removes the chunks, behind which all rows are committed.
        const before = series.at(-1)?.rows ?? 0;
        series.push({ seconds, rows: Math.max(before, Math.min(rows, committed * CHUNK_ROWS)), bytes });
      },
    },
  );
  if (run.rows !== rows) throw new BenchCheckError(`sluice label had ${rows} rows and gave ${run.rows}.`);
  const { seconds, usage } = run;
  return {
    rows,
    seconds,
    rowsPerSecond: rows / seconds,
    peakBytes: usage.peakBytes,
    sha256: run.sha256,
    slopeBytesPer100k: slopeBehindWarmUp(series),
    series,
  };
}

/** Bytes for each 100,000 rows; undefined without two samples of different rows behind the warm-up. */
export function slopeBehindWarmUp(series: readonly MemorySample[]): number | undefined {
  const points = series
    .filter(({ rows }) => rows >= WARM_UP_ROWS)
    .map(({ rows, bytes }) => ({ x: rows / 100_000, y: bytes }));
  if (points[0]?.x === points.at(-1)?.x) return undefined;
  return fitLine(points).slope;
}

/** The texts over and over, each made distinct by its number. */
function* distinctRows(texts: readonly string[], rows: number): Generator<string> {
  for (let id = 0; id < rows; id++) {
    yield `${JSON.stringify({ id, text: `${texts[id % texts.length]} ${id}` })}\n`;
  }
}
