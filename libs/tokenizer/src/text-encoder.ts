import type { IdColumn } from './id-column.js';

/** Turns one text into the ids of its tokens, special tokens left out. */
export interface TextEncoder {
  /**
   * Appends the ids of a text to a column. It may stop as soon as it has appended `limit` ids, and must give at
   * least that many if the text has them.
   *
   * @returns how many ids it appended
   */
  append(text: string, limit: number, column: IdColumn): number;
}
