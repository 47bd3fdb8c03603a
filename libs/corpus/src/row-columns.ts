import type { CorpusChunk, Reject } from '#pipeline/ports.js';

import type { LeafType } from './parquet/leaf-type.js';
import type { RawChunk } from './raw-chunk.js';

/** Which of the input's fields are read. */
export interface ReadFields {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label?: string | undefined;
}

/** What a parser makes of a chunk's records: columns of its accepted rows, and why the others are rejected. */
export type RowColumns = Pick<CorpusChunk, 'texts' | 'pairs' | 'golds' | 'records'> & {
  readonly rejects: Reject[];
};

/** Turns records into columns. A record that is no row is rejected and costs no other. */
export type RowParser = (raw: RawChunk) => RowColumns;

/**
 * What the records of a corpus are, for the writer.
 * `json`: the text of a JSON object. `cells`: strings, parallel to `names`.
 */
export interface RecordFields {
  readonly kind: 'json' | 'cells';
  /** The fields that the output carries, in the order of the input. Of JSON: those of the first rows. */
  readonly names: readonly string[];
  /** The user chose the fields: the output carries no others. */
  readonly chosen: boolean;
  /** What the values of a field are, by its name, where the input says it. */
  readonly types?: ReadonlyMap<string, LeafType> | undefined;
}

/** A record of kind `json`. @throws TypeError when it is none */
export function jsonRecord(record: unknown): string {
  if (typeof record !== 'string')
    throw new TypeError('Expected a record of JSON text, from a corpus of JSON lines.');
  return record;
}

/** A record of kind `cells`. @throws TypeError when it is none */
export function cellRecord(record: unknown): readonly string[] {
  if (!isCells(record)) throw new TypeError('Expected a record of cells, from a corpus of csv, tsv or text.');
  return record;
}

function isCells(record: unknown): record is readonly string[] {
  return Array.isArray(record);
}
