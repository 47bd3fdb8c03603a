import type { Values } from '../model/values.js';
import type { Gradients, RowGradient } from './gradient.js';

export interface AdamWOptions {
  /** Of weights; biases and norms have none. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

export const adamWDefaults: AdamWOptions = { weightDecay: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** Running means of a tensor's gradient and of its square. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** Whether a tensor's numbers are drawn to 0: not those of biases and norms. */
export function decays(name: string): boolean {
  return name.endsWith('.weight') && !name.includes('LayerNorm');
}

/**
 * AdamW (Loshchilov and Hutter, 2019), as PyTorch computes it: p ← p (1 − η λ) − η m̂ ÷ (√v̂ + ε).
 *
 * It works on the numbers in this process' memory, in one pass over each tensor: a backend would need a dozen, and the
 * embedding tables would have to live in it.
 */
export class AdamW {
  /** Steps that were made. */
  steps = 0;
  readonly moments: ReadonlyMap<string, Moments>;
  readonly #values: Values;
  readonly #options: AdamWOptions;
  /** Rows of tables that had a gradient once, by the table's name. */
  readonly #touched = new Map<string, Uint8Array>();

  /**
   * @param values of the model; those that are named are changed in place
   * @param names of the tensors that are trained
   */
  constructor(values: Values, names: readonly string[], options: Partial<AdamWOptions> = {}) {
    this.#values = values;
    this.#options = { ...adamWDefaults, ...options };
    this.moments = new Map(
      names.map((name) => {
        const { length } = values.get(name)!;
        return [name, { first: new Float32Array(length), second: new Float32Array(length) }];
      }),
    );
  }

  /**
   * @param gradients of each tensor that is trained
   * @param rate η
   * @param scale what gradients are multiplied by, of clipping
   */
  step(gradients: Gradients, rate: number, scale: number): void {
    this.steps += 1;
    const pace = this.#pace(rate, scale);
    for (const [name, { first, second }] of this.moments) {
      const values = this.#values.get(name)!;
      const gradient = gradients.get(name)!;
      const kept = decays(name) ? 1 - rate * this.#options.weightDecay : 1;
      if (gradient instanceof Float32Array) {
        update(values, first, second, gradient, 0, 0, values.length, kept, pace);
      } else {
        const width = gradient.values.length / gradient.rows.length;
        const touched = this.#touched.get(name) ?? touchedRows(second, width);
        this.#touched.set(name, touched);
        updateRows(values, first, second, gradient, touched, kept, pace);
      }
    }
  }

  #pace(rate: number, scale: number): Pace {
    const { beta1, beta2, eps } = this.#options;
    return {
      beta1,
      beta2,
      eps,
      scale,
      rateOfMean: rate / (1 - beta1 ** this.steps),
      correction: 1 / Math.sqrt(1 - beta2 ** this.steps),
    };
  }
}

/** What all numbers of a step have in common. */
interface Pace {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** What gradients are multiplied by. */
  readonly scale: number;
  /** η ÷ (1 − β₁ᵗ). */
  readonly rateOfMean: number;
  /** 1 ÷ √(1 − β₂ᵗ). */
  readonly correction: number;
}

/**
 * Of the numbers from `start` to `end`. A function of flat arguments: as a method that takes them in an object, called
 * for one row at a time, it was measured at twenty times the time of a number.
 *
 * @param from where the gradient of `start` is
 * @param kept what weight decay leaves
 */
function update(
  values: Float32Array,
  first: Float32Array,
  second: Float32Array,
  gradient: Float32Array,
  from: number,
  start: number,
  end: number,
  kept: number,
  { beta1, beta2, eps, scale, rateOfMean, correction }: Pace,
): void {
  const shift = from - start;
  // What does not change is computed before: V8 moves nothing out of a loop.
  const ofFirst = (1 - beta1) * scale;
  const ofSecond = (1 - beta2) * scale * scale;
  for (let index = start; index < end; index++) {
    const g = gradient[index + shift]!;
    const m = beta1 * first[index]! + ofFirst * g;
    const v = beta2 * second[index]! + ofSecond * (g * g);
    first[index] = m;
    second[index] = v;
    values[index] = values[index]! * kept - (rateOfMean * m) / (Math.sqrt(v) * correction + eps);
  }
}

/**
 * Of a table, some of whose rows have a gradient. A row that never had one is only drawn to 0: its moments are 0.
 * @param touched 1 for each row that had a gradient once
 */
function updateRows(
  values: Float32Array,
  first: Float32Array,
  second: Float32Array,
  { rows, values: gradient }: RowGradient,
  touched: Uint8Array,
  kept: number,
  pace: Pace,
): void {
  const width = values.length / touched.length;
  const none = new Float32Array(width);
  let next = 0;
  for (let row = 0; row < touched.length; row++) {
    const start = row * width;
    const end = start + width;
    if (rows[next] === row) {
      update(values, first, second, gradient, next * width, start, end, kept, pace);
      touched[row] = 1;
      next += 1;
    } else if (touched[row] === 1) {
      update(values, first, second, none, 0, start, end, kept, pace);
    } else if (kept !== 1) {
      for (let index = start; index < end; index++) values[index]! *= kept;
    }
  }
}

/** @returns 1 for each row that has a moment */
function touchedRows(second: Float32Array, width: number): Uint8Array {
  const touched = new Uint8Array(second.length / width);
  for (const [index, moment] of second.entries()) {
    if (moment !== 0) touched[Math.floor(index / width)] = 1;
  }
  return touched;
}
