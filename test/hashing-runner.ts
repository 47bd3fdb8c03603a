/**
 * A model without a model: rows are hashed, exits look at the hash. Its stage runner ends batches when it is told to, so
 * that a test decides the order, and its row-by-row reference says what every row's label must be.
 */
import type { ExitColumns, LabelColumns, TokenColumns } from '#pipeline/columns.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import type { StageBatch, StageResult, StageRunner } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { exitLayers } from '#pipeline/stage-layout.js';

export const HIDDEN = 2;
const CLASSES = 3;

/** A 32-bit hash of a few numbers (FNV-1a). */
function hashOf(...numbers: number[]): number {
  let hash = 0x811c9dc5;
  for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193) >>> 0;
  return hash;
}

/** The chunk that a token of these tests comes from is written in its id. */
const IDS_OF_CHUNK = 1000;
const chunkOf = (id: number) => Math.floor(id / IDS_OF_CHUNK);

/** The model of these tests: a row is a hash of its tokens and segments, and an exit's opinion a hash of that. */
const rowHash = (ids: Iterable<number>, segments: Iterable<number>) => hashOf(...ids, ...segments) >>> 8;

function opinion(hash: number, layer: number): { probabilities: number[]; uncertainty: number } {
  const probabilities = Array.from({ length: CLASSES }, (_, index) => hashOf(hash, layer, index) % 4);
  // Few different values, so that uncertainties meet thresholds exactly.
  return { probabilities, uncertainty: Math.fround((hashOf(hash, layer) % 11) / 10) };
}

/** Each row by itself, exit by exit. */
export function reference(tokens: TokenColumns, layout: ModelLayout, policy: ExitPolicy): LabelColumns {
  const rows = tokens.offsets.length - 1;
  const columns = {
    rows,
    classes: CLASSES,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(rows * CLASSES),
  };
  const layers = exitLayers(layout);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [tokens.offsets[row], tokens.offsets[row + 1]];
    const hash = rowHash(tokens.ids.subarray(start, end), tokens.segments?.subarray(start, end) ?? []);
    const layer =
      layers.find((layer) => opinion(hash, layer).uncertainty < Math.fround(policy.get(layer) ?? 0)) ??
      layers[layers.length - 1] ??
      0;
    const { probabilities, uncertainty } = opinion(hash, layer);
    columns.label[row] = probabilities.indexOf(Math.max(...probabilities));
    columns.exitLayer[row] = layer;
    columns.uncertainty[row] = uncertainty;
    columns.probabilities.set(probabilities, row * CLASSES);
  }
  return columns;
}

/** Runs batches when told to, in any order, and watches what the engine does. */
export class ManualRunner implements StageRunner {
  readonly concurrency: number;
  readonly #layout: ModelLayout;
  readonly #pending: (() => void)[] = [];
  readonly batches: { stage: number; rows: number; tokens: number }[] = [];
  mostPending = 0;
  /** Bytes of survivors that have come out of a stage and not gone into the next. */
  survivorBytes = 0;
  mostSurvivorBytes = 0;
  /** The batch to fail, counted from 0. */
  failAt = -1;
  /** Chunks with rows in the failed batch. */
  failed = new Set<number>();
  /** Chunks with rows in batches begun after that. */
  readonly afterFailure = new Set<number>();
  #finished = 0;

  constructor(layout: ModelLayout, concurrency: number) {
    this.#layout = layout;
    this.concurrency = concurrency;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Ends one of the batches, the `pick`-th from the oldest, counted round and round. */
  finish(pick: number): void {
    const [finish] = this.#pending.splice(pick % this.#pending.length, 1);
    finish?.();
  }

  run(given: StageBatch): Promise<StageResult> {
    const batch = moved(given);
    this.batches.push({ stage: batch.stage, rows: batch.rows, tokens: batch.tokens });
    if (batch.input.kind === 'hidden') this.survivorBytes -= batch.input.hidden.byteLength;
    if (this.failed.size > 0) for (const chunk of chunksIn(batch)) this.afterFailure.add(chunk);
    return new Promise((resolve, reject) => {
      this.#pending.push(() => {
        if (this.#finished++ === this.failAt) {
          this.failed = chunksIn(batch);
          reject(new Error('the machine is on fire'));
        } else resolve(this.#compute(batch));
      });
      this.mostPending = Math.max(this.mostPending, this.#pending.length);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #compute({ stage, rows, tokens, policy, input }: StageBatch): StageResult {
    const exits = this.#layout.stages[stage]?.exits ?? [];
    const isLast = stage === this.#layout.stages.length - 1;
    const chunks = Array.from({ length: rows }, (_, row) => chunkOfRow(input, row * tokens));
    const hashes = Array.from({ length: rows }, (_, row) => {
      if (input.kind === 'hidden') return input.hidden[row * tokens * HIDDEN] ?? 0;
      const [start, end] = [row * tokens, (row + 1) * tokens];
      return rowHash(input.ids.subarray(start, end), input.segments?.subarray(start, end) ?? []);
    });
    let reached = hashes.map((_, row) => row);
    const columns = exits.map((layer, index): ExitColumns => {
      const said = reached.map((row) => opinion(hashes[row] ?? 0, layer));
      const result = {
        layer,
        rows: Int32Array.from(reached),
        probabilities: Float32Array.from(said.flatMap(({ probabilities }) => probabilities)),
        uncertainty: Float32Array.from(said, ({ uncertainty }) => uncertainty),
      };
      const takesAll = isLast && index === exits.length - 1;
      reached = reached.filter(
        (_, at) => !takesAll && !((result.uncertainty[at] ?? 0) < (policy[index] ?? 0)),
      );
      return result;
    });
    const hidden = new Float32Array(reached.length * tokens * HIDDEN);
    for (const [at, row] of reached.entries()) {
      hidden.set([hashes[row] ?? 0, chunks[row] ?? 0], at * tokens * HIDDEN);
    }
    this.survivorBytes += hidden.byteLength;
    this.mostSurvivorBytes = Math.max(this.mostSurvivorBytes, this.survivorBytes);
    return { exits: columns, survivors: { rows: Int32Array.from(reached), hidden }, seconds: 0 };
  }
}

/** What a real runner does to a batch: its arrays are gone from the caller's side. */
function moved(batch: StageBatch): StageBatch {
  const { policy, input } = batch;
  const arrays = input.kind === 'hidden' ? [input.hidden] : [input.ids, input.segments ?? []];
  const buffers = [policy, ...arrays].flatMap((array) =>
    ArrayBuffer.isView(array) && array.buffer instanceof ArrayBuffer ? [array.buffer] : [],
  );
  return structuredClone(batch, { transfer: buffers });
}

const chunkOfRow = (input: StageBatch['input'], token: number) =>
  (input.kind === 'hidden' ? input.hidden[token * HIDDEN + 1] : chunkOf(input.ids[token] ?? 0)) ?? -1;

const chunksIn = ({ input, rows, tokens }: StageBatch) =>
  new Set(Array.from({ length: rows }, (_, row) => chunkOfRow(input, row * tokens)));

export function tokensOf(lengths: readonly number[], task: ModelLayout['task'], chunk: number): TokenColumns {
  const offsets = Int32Array.of(0, ...lengths);
  for (let row = 1; row < offsets.length; row++) offsets[row] = (offsets[row] ?? 0) + (offsets[row - 1] ?? 0);
  const total = offsets[offsets.length - 1] ?? 0;
  const ids = Int32Array.from(
    { length: total },
    (_, at) => chunk * IDS_OF_CHUNK + (hashOf(chunk, at) % IDS_OF_CHUNK),
  );
  const segments = task === 'pair' ? ids.map((id) => id % 2) : undefined;
  return { ids, segments, offsets, truncated: new Uint8Array(lengths.length) };
}
