/**
 * The ports of a run, as small as they can be and still deterministic: for tests of the run itself. A row is a line
 * `gold<TAB>text`; a line without a tab is rejected.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { LabelColumns, TokenColumns } from '#pipeline/columns.js';
import type {
  Corpus,
  CorpusChunk,
  PlannedChunk,
  Reject,
  RowLabeller,
  RowWriter,
  SourceRange,
  Tokenizer,
} from '#pipeline/ports.js';

export const toyLabels = ['red', 'green', 'blue'];
export const toyLayers = 4;

/** Rows from a seed: every 7th without a tab, some golds that the bundle does not know. */
export function toyCorpusText(rows: number, seed = 1): string {
  return Array.from({ length: rows }, (_, row) => {
    const number = (row * 2654435761 + seed * 40503) >>> 0;
    const text = `row ${row} ${number.toString(36).repeat(1 + (number % 5))}`;
    return row % 7 === 3 ? `${text}\n` : `${[...toyLabels, 'violet'][number % 4] ?? ''}\t${text}\n`;
  }).join('');
}

export class ToyCorpusChangedError extends Error {
  override readonly name = 'CorpusChangedError';
}

export class ToyCorpus implements Corpus {
  readonly bytes = undefined;
  readonly verified: number[] = [];
  readonly rereads: number[] = [];
  /** Chunks given out by `chunks`. */
  given = 0;
  readonly #path: string;
  readonly #chunkRows: number;

  constructor(path: string, chunkRows: number) {
    this.#path = path;
    this.#chunkRows = chunkRows;
  }

  async *chunks(after?: PlannedChunk): AsyncGenerator<CorpusChunk> {
    const data = await readFile(this.#path);
    let chunk = after ? after.chunk + 1 : 0;
    let firstRow = after ? after.firstRow + after.rows : 1;
    let start = after?.range.end ?? 0;
    while (start < data.length) {
      let end = start;
      let rows = 0;
      for (; rows < this.#chunkRows && end < data.length; rows += 1) end = data.indexOf(10, end) + 1;
      const bytes = data.subarray(start, end);
      this.given += 1;
      yield chunkOf({ chunk, firstRow, rows, range: { file: 0, start, end, sha256: hash(bytes) } }, bytes);
      chunk += 1;
      firstRow += rows;
      start = end;
    }
  }

  async reread(planned: PlannedChunk): Promise<CorpusChunk> {
    this.rereads.push(planned.chunk);
    return chunkOf(planned, await this.#bytesOf(planned.range));
  }

  async verify(planned: PlannedChunk): Promise<void> {
    this.verified.push(planned.chunk);
    await this.#bytesOf(planned.range);
  }

  async close(): Promise<void> {}

  async #bytesOf({ start, end, sha256 }: SourceRange): Promise<Buffer> {
    const bytes = (await readFile(this.#path)).subarray(start, end);
    if (hash(bytes) !== sha256) throw new ToyCorpusChangedError(`Bytes ${start} to ${end} changed.`);
    return bytes;
  }
}

/** Ids are character codes; more than 40 are cut. */
export class ToyTokenizer implements Tokenizer {
  readonly concurrency = 2;

  async tokenize(texts: readonly string[]): Promise<TokenColumns> {
    const rows = texts.map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
    const offsets = new Int32Array(texts.length + 1);
    for (const [row, ids] of rows.entries()) offsets[row + 1] = offsets[row]! + Math.min(ids.length, 40);
    return {
      ids: Int32Array.from(rows.flatMap((ids) => ids.slice(0, 40))),
      offsets,
      truncated: Uint8Array.from(rows, (ids) => Number(ids.length > 40)),
    };
  }

  async close(): Promise<void> {}
}

/** A function of each row's ids alone, at varying speed, so that chunks are committed out of order. */
export class ToyLabeller implements RowLabeller {
  labelled = 0;
  /** Calls that have not returned. */
  active = 0;
  mostActive = 0;
  readonly #pause: (call: number) => number;

  /** @param pause milliseconds that a call takes */
  constructor(pause: (call: number) => number = (call) => (call * 7) % 5) {
    this.#pause = pause;
  }

  async label(tokens: TokenColumns): Promise<LabelColumns> {
    this.mostActive = Math.max(this.mostActive, (this.active += 1));
    await sleep(this.#pause((this.labelled += 1)));
    this.active -= 1;
    return toyLabelsOf(tokens);
  }
}

export function toyLabelsOf(tokens: TokenColumns): LabelColumns {
  const rows = tokens.offsets.length - 1;
  const columns = {
    rows,
    classes: toyLabels.length,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(rows * toyLabels.length),
  };
  for (let row = 0; row < rows; row += 1) {
    let total = 0;
    for (const id of tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])) total += id;
    const label = total % toyLabels.length;
    columns.label[row] = label;
    columns.exitLayer[row] = total % (toyLayers + 1);
    columns.uncertainty[row] = (total % 101) / 100;
    columns.probabilities.fill(0.1, row * toyLabels.length, (row + 1) * toyLabels.length);
    columns.probabilities[row * toyLabels.length + label] = 0.8;
  }
  return columns;
}

export class ToyWriter implements RowWriter {
  readonly format = 'txt';

  head(): Buffer {
    return Buffer.from('text,label,exit_layer\n');
  }

  rows(chunk: CorpusChunk, labels: LabelColumns): Buffer | Promise<Buffer> {
    const lines = chunk.texts.map(
      (text, row) => `${text},${toyLabels[labels.label[row]!]!},${labels.exitLayer[row]!}\n`,
    );
    return Buffer.from(lines.join(''));
  }
}

function chunkOf(planned: PlannedChunk, bytes: Buffer): CorpusChunk {
  const rejects: Reject[] = [];
  const texts: string[] = [];
  const golds: string[] = [];
  for (const [index, line] of bytes.toString('utf8').split('\n').slice(0, -1).entries()) {
    const [gold, text] = line.split('\t');
    if (gold === undefined || text === undefined) {
      rejects.push({ row: planned.firstRow + index, reason: 'no-tab', message: 'Expected a tab; got none.' });
    } else {
      texts.push(text);
      golds.push(gold);
    }
  }
  return { ...planned, texts, golds, records: texts, rejects };
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
