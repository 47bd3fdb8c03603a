import type { LabelledRows, RejectedRow } from '../ports.js';
import { copyLabel, emptyLabels } from '../label-columns.js';
import type { ResultPart } from './result-part.js';
import { ResultPartError } from './result-part.js';

/**
 * The results of a chunk from its parts, in the order of its rows. A row may be in several parts: it is the same in each.
 *
 * @param rows accepted rows of the chunk
 * @returns `undefined` while rows are missing
 * @throws ResultPartError for rows or classes that the chunk has not
 */
export function joinParts(
  parts: readonly ResultPart[],
  rows: number,
  classes: number,
): LabelledRows | undefined {
  const labels = emptyLabels(rows, classes);
  const seen = new Uint8Array(rows);
  let left = rows;
  let tokens = 0;
  let truncated = 0;
  const rejected: RejectedRow[] = [];
  const take = (row: number): boolean => {
    if (row < 0 || row >= rows) throw new ResultPartError(`Expected rows 0 to ${rows - 1}; got ${row}.`);
    if (seen[row] === 1) return false;
    seen[row] = 1;
    left -= 1;
    return true;
  };
  for (const part of parts) {
    if (part.labels.classes !== classes) {
      throw new ResultPartError(`Expected results of ${classes} classes; got ${part.labels.classes}.`);
    }
    for (const [at, row] of part.rows.entries()) {
      if (!take(row)) continue;
      copyLabel(part.labels, at, labels, row);
      tokens += part.lengths[at] ?? 0;
      truncated += part.truncated[at] ?? 0;
    }
    for (const row of part.rejected) if (take(row.index)) rejected.push(row);
  }
  if (left > 0) return undefined;
  return { labels, tokens, truncated, rejected: rejected.sort((a, b) => a.index - b.index) };
}
