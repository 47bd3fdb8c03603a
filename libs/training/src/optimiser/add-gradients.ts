import type { Gradients, RowGradient } from './gradient.js';

/** Adds gradients of one batch to those of others; what it is given stays as it is. */
export function addGradients(
  sum: ReadonlyMap<string, Float32Array | RowGradient>,
  more: Gradients,
): Map<string, Float32Array | RowGradient> {
  return new Map(Array.from(sum, ([name, gradient]) => [name, added(gradient, more.get(name)!)]));
}

/** Multiplies gradients in place. */
export function scaleGradients(gradients: Gradients, factor: number): void {
  for (const gradient of gradients.values()) {
    const values = gradient instanceof Float32Array ? gradient : gradient.values;
    for (let index = 0; index < values.length; index++) values[index]! *= factor;
  }
}

function added(a: Float32Array | RowGradient, b: Float32Array | RowGradient): Float32Array | RowGradient {
  if (a instanceof Float32Array && b instanceof Float32Array) {
    return a.map((value, index) => value + b[index]!);
  }
  if (!(a instanceof Float32Array) && !(b instanceof Float32Array)) return addedRows(a, b);
  throw new TypeError('Expected two gradients of one form.');
}

function addedRows(a: RowGradient, b: RowGradient): RowGradient {
  const width = a.values.length / a.rows.length;
  const rows = Int32Array.from(new Set([...a.rows, ...b.rows])).sort();
  const places = new Map(Array.from(rows, (row, index) => [row, index * width]));
  const values = new Float32Array(rows.length * width);
  for (const part of [a, b]) {
    for (const [index, row] of part.rows.entries()) {
      const place = places.get(row)!;
      for (let each = 0; each < width; each++) values[place + each]! += part.values[index * width + each]!;
    }
  }
  return { rows, values };
}
