import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import type { HiddenStates } from '#model/compile/hidden-states.js';
import type { TokenRows } from '../data/token-batch.js';

/** Tokens that go through the encoder at once. */
const BATCH_TOKENS = 2048;
const FLOAT32_BYTES = 4;

/** Hidden states of one row, of each layer in turn, `[layers,S,H]`. */
type RowStates = Float32Array;

/**
 * Hidden states of a corpus that do not change: computed once and kept in a file, or computed whenever they are asked for
 * where the file would be too large. Either way they are the same, bit by bit: a row's states come from rows of its own
 * length alone.
 */
export class StateCache {
  readonly #rows: TokenRows;
  readonly #encoder: HiddenStates;
  readonly #layers: number;
  readonly #hiddenSize: number;
  #file: FileHandle | undefined;
  #path = '';

  constructor(rows: TokenRows, encoder: HiddenStates, layers: number, hiddenSize: number) {
    this.#rows = rows;
    this.#encoder = encoder;
    this.#layers = layers;
    this.#hiddenSize = hiddenSize;
  }

  /** Bytes that a file of all states has. */
  get bytes(): number {
    return this.#rows.ids.length * this.#tokenBytes;
  }

  /**
   * Computes all states and keeps them.
   * @param onProgress hears how many tokens are done
   */
  async keepIn(path: string, onProgress: (tokens: number) => void, signal?: AbortSignal): Promise<void> {
    const file = await open(path, 'w+');
    this.#path = path;
    const all = Int32Array.from({ length: this.#rows.starts.length - 1 }, (_, row) => row);
    let done = 0;
    for (const group of this.#byLength(all)) {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      const states = await this.#compute(group);
      for (const [index, row] of group.entries()) {
        const numbers = states[index]!;
        const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
        const position = this.#rows.starts[row]! * this.#tokenBytes;
        for (let at = 0; at < bytes.length;) {
          at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
        }
        done += this.#length(row);
      }
      onProgress(done);
    }
    this.#file = file;
  }

  /**
   * States of a batch whose rows are padded to the longest with zeros.
   * @returns of each layer, `[B·S,H]`
   */
  async batch(rows: Int32Array, longest: number): Promise<Float32Array[]> {
    const width = this.#hiddenSize;
    const padded = Array.from(
      { length: this.#layers },
      () => new Float32Array(rows.length * longest * width),
    );
    const states =
      this.#file === undefined ? await this.#computeAll(rows) : await this.#read(this.#file, rows);
    for (const [index, row] of rows.entries()) {
      const size = this.#length(row) * width;
      for (const [layer, target] of padded.entries()) {
        target.set(states[index]!.subarray(layer * size, (layer + 1) * size), index * longest * width);
      }
    }
    return padded;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    if (this.#path !== '') await rm(this.#path, { force: true });
  }

  get #tokenBytes(): number {
    return this.#layers * this.#hiddenSize * FLOAT32_BYTES;
  }

  #length(row: number): number {
    return this.#rows.starts[row + 1]! - this.#rows.starts[row]!;
  }

  /** Rows of one length together, so many as go through the encoder at once. */
  #byLength(rows: Int32Array): Int32Array[] {
    const sorted = rows.slice().sort((a, b) => this.#length(a) - this.#length(b) || a - b);
    const groups: Int32Array[] = [];
    let start = 0;
    for (let end = 1; end <= sorted.length; end++) {
      const length = this.#length(sorted[start]!);
      const fits = (end + 1 - start) * length <= BATCH_TOKENS;
      if (end < sorted.length && fits && this.#length(sorted[end]!) === length) continue;
      groups.push(sorted.subarray(start, end));
      start = end;
    }
    return groups;
  }

  /** @returns states of each row, in the order of the rows */
  async #computeAll(rows: Int32Array): Promise<RowStates[]> {
    const found = new Map<number, RowStates>();
    for (const group of this.#byLength(rows)) {
      const states = await this.#compute(group);
      for (const [index, row] of group.entries()) found.set(row, states[index]!);
    }
    return Array.from(rows, (row) => found.get(row)!);
  }

  /** Of rows of one length. */
  async #compute(rows: Int32Array): Promise<RowStates[]> {
    const length = this.#length(rows[0]!);
    // One row alone would go through other kernels, and differ in its last bits from the same among others.
    const count = Math.max(2, rows.length);
    const ids = new Int32Array(count * length);
    const segments = this.#rows.segments && new Int32Array(count * length);
    for (let index = 0; index < count; index++) {
      const row = rows[Math.min(index, rows.length - 1)]!;
      const [start, end] = [this.#rows.starts[row]!, this.#rows.starts[row + 1]!];
      ids.set(this.#rows.ids.subarray(start, end), index * length);
      segments?.set(this.#rows.segments!.subarray(start, end), index * length);
    }
    const layers = await this.#encoder.of(ids, segments, count);
    const size = length * this.#hiddenSize;
    return Array.from(rows, (_, index) => {
      const states = new Float32Array(this.#layers * size);
      for (const [layer, all] of layers.entries()) {
        states.set(all.subarray(index * size, (index + 1) * size), layer * size);
      }
      return states;
    });
  }

  async #read(file: FileHandle, rows: Int32Array): Promise<RowStates[]> {
    const found: RowStates[] = [];
    for (const row of rows) {
      const states = new Float32Array(this.#layers * this.#length(row) * this.#hiddenSize);
      const bytes = new Uint8Array(states.buffer);
      const position = this.#rows.starts[row]! * this.#tokenBytes;
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
        if (bytesRead === 0) throw new Error(`${this.#path} ends before its rows do: was it changed?`);
        at += bytesRead;
      }
      found.push(states);
    }
    return found;
  }
}
