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
    const values = gradient instanceof Float32Array ? gradient : gradient.values;
    for (let index = 0; index < values.length; index++) sum += values[index]! * values[index]!;
  }
  return Math.sqrt(sum);
}

/** What gradients are multiplied by so that their norm is at most this, as PyTorch's `clip_grad_norm_` has it. */
export function clippingScale(norm: number, mostNorm: number): number {
  return Math.min(1, mostNorm / (norm + 1e-6));
}
