import type { Geometry } from '#model/checkpoint/checkpoint-config.js';
import type { TokenBatch } from '../data/token-batch.js';
import type { RowGradient } from '../optimiser/gradient.js';
import type { Values } from './values.js';

const table = (name: string): string => `bert.embeddings.${name}_embeddings.weight`;

/** The names of the embedding tables. */
export function embeddingTables({ segments }: Geometry): string[] {
  return ['word', 'position', ...(segments === 0 ? [] : ['token_type'])].map(table);
}

/**
 * Sums the embeddings of each token. The tables stay out of the backend: a batch has few of their rows.
 * @returns `[B·S,E]`; padding has those of id 0
 */
export function embedTokens(values: Values, batch: TokenBatch, { embeddingSize }: Geometry): Float32Array {
  const sum = new Float32Array(batch.ids.length * embeddingSize);
  forEachRow(values, batch, embeddingSize, (rows, from, at) => {
    for (let index = 0; index < embeddingSize; index++) sum[at + index]! += rows[from + index]!;
  });
  return sum;
}

/**
 * Adds the gradients of the tables' rows up, token by token in their order, so that they are the same at each time.
 * @param dSum gradient of what `embedTokens` gave, `[B·S,E]`
 * @param names of the tables that are trained
 */
export function embeddingGradients(
  values: Values,
  batch: TokenBatch,
  { embeddingSize: width }: Geometry,
  dSum: Float32Array,
  names: readonly string[],
): Map<string, RowGradient> {
  const used = new Map(names.map((name) => [values.get(name)!, new Set<number>()]));
  forEachRow(values, batch, width, (rows, from) => used.get(rows)?.add(from));
  const found = Array.from(used, ([table, starts]) => {
    const ascending = Float64Array.from(starts).sort();
    const places = new Map(Array.from(ascending, (start, index) => [start, index * width]));
    return { table, ascending, places, gradient: new Float32Array(ascending.length * width) };
  });
  const byTable = new Map(found.map((each) => [each.table, each]));
  forEachRow(values, batch, width, (rows, from, at) => {
    const target = byTable.get(rows);
    if (target === undefined) return;
    const { gradient } = target;
    const place = target.places.get(from)!;
    for (let index = 0; index < width; index++) gradient[place + index]! += dSum[at + index]!;
  });
  return new Map(
    found.map(({ ascending, gradient }, index) => [
      names[index]!,
      { rows: Int32Array.from(ascending, (start) => start / width), values: gradient },
    ]),
  );
}

/** Calls with each table's row of each token: where it begins in the table, and where the token's numbers begin. */
function forEachRow(
  values: Values,
  { ids, segments, lengths, longest }: TokenBatch,
  width: number,
  call: (rows: Float32Array, from: number, at: number) => void,
): void {
  const words = values.get(table('word'))!;
  const positions = values.get(table('position'))!;
  const kinds = values.get(table('token_type'));
  for (const [row, length] of lengths.entries()) {
    for (let position = 0; position < length; position++) {
      const token = row * longest + position;
      const at = token * width;
      call(words, ids[token]! * width, at);
      call(positions, position * width, at);
      if (kinds !== undefined) call(kinds, (segments?.[token] ?? 0) * width, at);
    }
  }
}
