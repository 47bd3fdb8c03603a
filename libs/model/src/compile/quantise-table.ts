export interface QuantisedTable {
  /** `[rows, width]`. */
  readonly values: Int8Array;
  /** `[rows]`; real = quantised × scale. */
  readonly scales: Float32Array;
}

/**
 * An embedding table as signed bytes, symmetric, one scale per row. It makes the file of a bundle smaller, nothing else:
 * ONNX Runtime turns the table back into float32 when it loads the graph.
 */
export function quantiseTable(table: Float32Array, width: number): QuantisedTable {
  const values = new Int8Array(table.length);
  const scales = new Float32Array(table.length / width);
  for (let row = 0; row < scales.length; row++) {
    const start = row * width;
    let greatest = 0;
    for (let i = start; i < start + width; i++) greatest = Math.max(greatest, Math.abs(table[i]!));
    // A row of zeros, or of numbers too small for float32's full precision, is zero at any scale.
    const scale = greatest / 127 < 2 ** -126 ? 1 : Math.fround(greatest / 127);
    scales[row] = scale;
    for (let i = start; i < start + width; i++) {
      values[i] = Math.max(-127, Math.min(127, Math.round(table[i]! / scale)));
    }
  }
  return { values, scales };
}
