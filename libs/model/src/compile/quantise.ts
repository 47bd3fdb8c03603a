import type { Linear } from '../checkpoint/weights.js';

/** real = (quantised − zeroPoint) × scale, one pair for a whole tensor of unsigned bytes. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The scale that covers a range from its minimum to its maximum, zero included so that zero is exact. */
export function scaleOfRange({ min, max }: Range): Scale {
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = normal((high - low) / 255);
  return { scale, zeroPoint: Math.round(Math.abs(low) / scale) };
}

/** A scale as float32. Numbers too small for full precision there are all taken for zero: any scale does. */
function normal(scale: number): number {
  return scale < 2 ** -126 ? 1 : Math.fround(scale);
}

export interface QuantisedWeight {
  /** `[inputs, outputs]`. */
  readonly values: Int8Array;
  /** `[outputs]`. */
  readonly scales: Float32Array;
}

/** Largest sum of two neighbouring weights of one sign: 255 × 128 still fits int16. */
const PAIR_LIMIT = 128;

/**
 * Weights as signed bytes, symmetric, one scale per output.
 *
 * Processors without VNNI multiply bytes by `pmaddubsw`, which adds the products of two neighbouring inputs in
 * int16 and saturates: up to 255 × (w₀ + w₁) must stay below 2¹⁵. So a column's scale is also held to
 * |w₀ + w₁| ≤ 128 for each pair of inputs (2i, 2i + 1) of one sign. That costs about half a bit where plain 7-bit
 * weights cost a whole one, and integer sums are then exact and the same on every processor.
 */
export function quantiseWeight({ weight, inputs, outputs }: Linear): QuantisedWeight {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let column = 0; column < outputs; column++) {
    let single = 0;
    let pair = 0;
    for (let row = 0; row < inputs; row += 2) {
      const first = weight[row * outputs + column]!;
      const second = row + 1 < inputs ? weight[(row + 1) * outputs + column]! : 0;
      single = Math.max(single, Math.abs(first), Math.abs(second));
      if (first * second > 0) pair = Math.max(pair, Math.abs(first + second));
    }
    // Rounding adds at most ½ to each of a pair, hence the limit less one.
    const scale = normal(Math.max(single / 127, pair / (PAIR_LIMIT - 1)));
    scales[column] = scale;
    for (let row = 0; row < inputs; row++) {
      const value = Math.round(weight[row * outputs + column]! / scale);
      values[row * outputs + column] = Math.max(-127, Math.min(127, value));
    }
  }
  return { values, scales };
}
