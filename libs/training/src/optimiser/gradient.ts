/** The gradient of a table of which a batch uses few rows: 0 in all others. */
export interface RowGradient {
  /** Ascending, each once, `[n]`. */
  readonly rows: Int32Array;
  /** `[n,width]`. */
  readonly values: Float32Array;
}

/** Of each trained tensor, by its name. */
export type Gradients = ReadonlyMap<string, Float32Array | RowGradient>;

/** √(Σ g²) over all tensors. */
export function globalNorm(gradients: Gradients): number {
  let sum = 0;
  for (const gradient of gradients.values()) {
    sum += sumOfSquares(gradient instanceof Float32Array ? gradient : gradient.values);
  }
  return Math.sqrt(sum);
}

/** In four sums, none of which waits for another. */
function sumOfSquares(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let index = 0; index < whole; index += 4) {
    a += values[index]! * values[index]!;
    b += values[index + 1]! * values[index + 1]!;
    c += values[index + 2]! * values[index + 2]!;
    d += values[index + 3]! * values[index + 3]!;
  }
  for (let index = whole; index < values.length; index++) a += values[index]! * values[index]!;
  return a + b + (c + d);
}

/** What gradients are multiplied by so that their norm is at most this, as PyTorch's `clip_grad_norm_` has it. */
export function clippingScale(norm: number, mostNorm: number): number {
  return Math.min(1, mostNorm / (norm + 1e-6));
}
