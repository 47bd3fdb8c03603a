import { parse } from 'csv-parse/sync';

import type { Reject } from '#pipeline/ports.js';

import type { RawChunk } from './raw-chunk.js';
import { recordTexts } from './raw-chunk.js';
import type { ReadFields, RowColumns, RowParser } from './row-columns.js';

/** The columns of a table. */
export interface Table {
  readonly columns: readonly string[];
  /** Those that a record keeps for the output, ascending. */
  readonly kept: readonly number[];
  /** Cells of every record; undefined where one is no record. */
  readonly cells: (
    raw: RawChunk,
    texts: readonly (string | undefined)[],
  ) => (readonly string[] | undefined)[];
}

/** Rows of a table: a record is its kept cells. */
export function tableRowParser(table: Table, fields: ReadFields): RowParser {
  const text = table.columns.indexOf(fields.text);
  const pair = fields.pair === undefined ? undefined : table.columns.indexOf(fields.pair);
  const label = fields.label === undefined ? undefined : table.columns.indexOf(fields.label);
  const keepsAll = table.kept.length === table.columns.length;
  return (raw): RowColumns => {
    const rejects: Reject[] = [...raw.rejects];
    const texts: string[] = [];
    const pairs: string[] = [];
    const golds: (string | undefined)[] = [];
    const records: (readonly string[])[] = [];
    const decoded = recordTexts(raw, rejects);
    for (const [index, cells] of table.cells(raw, decoded).entries()) {
      const row = raw.numbers[index] ?? 0;
      if (decoded[index] === undefined) continue;
      if (cells === undefined) {
        rejects.push({ row, reason: 'unparseable', message: 'expected one record of delimited fields' });
      } else if (cells.length !== table.columns.length) {
        const message = `expected ${table.columns.length} columns, got ${cells.length}`;
        rejects.push({ row, reason: 'wrong-columns', message });
      } else {
        texts.push(cells[text] ?? '');
        if (pair !== undefined) pairs.push(cells[pair] ?? '');
        if (label !== undefined) golds.push(cells[label]);
        records.push(keepsAll ? cells : table.kept.map((column) => cells[column] ?? ''));
      }
    }
    return {
      texts,
      pairs: pair === undefined ? undefined : pairs,
      golds: label === undefined ? undefined : golds,
      records,
      rejects,
    };
  };
}

/** Text: each line is the only cell. */
export const lineCells: Table['cells'] = (_raw, texts) =>
  texts.map((text) => (text === undefined ? undefined : [text]));

/** Fields that no quotes enclose. */
export function splitCells(delimiter: string): Table['cells'] {
  return (_raw, texts) => texts.map((text) => text?.split(delimiter));
}

/** csv and tsv. The chunk is parsed as a whole, or record by record where one of them is none. */
export function quotedCells(delimiter: string): Table['cells'] {
  const split = splitCells(delimiter);
  return (raw, texts) => {
    if (!raw.bytes.includes('"')) return split(raw, texts);
    const records = parseRecords(raw.bytes, delimiter);
    if (records?.length === texts.length) return records;
    return texts.map((text) => {
      if (text === undefined) return undefined;
      const parsed = parseRecords(Buffer.from(text), delimiter);
      return parsed?.length === 1 ? parsed[0] : undefined;
    });
  };
}

/** Cells of records that are split by line feeds and well quoted; undefined where the parser refuses them. */
export function parseRecords(records: Buffer, delimiter: string): string[][] | undefined {
  try {
    return parse(records, {
      delimiter,
      record_delimiter: '\n',
      // The splitter has seen to quotes that are not closed; others that do not open a field are ordinary characters.
      relax_quotes: true,
      relax_column_count: true,
    });
  } catch {
    return undefined;
  }
}
