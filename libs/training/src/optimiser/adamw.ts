import type { Values } from '../model/values.js';

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
  step(gradients: Values, rate: number, scale: number): void {
    this.steps += 1;
    const { beta1, beta2, eps, weightDecay } = this.#options;
    const rateOfMean = rate / (1 - beta1 ** this.steps);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.steps);
    for (const [name, { first, second }] of this.moments) {
      const values = this.#values.get(name)!;
      const gradient = gradients.get(name)!;
      const kept = decays(name) ? 1 - rate * weightDecay : 1;
      for (let index = 0; index < values.length; index++) {
        const g = gradient[index]! * scale;
        const m = beta1 * first[index]! + (1 - beta1) * g;
        const v = beta2 * second[index]! + (1 - beta2) * g * g;
        first[index] = m;
        second[index] = v;
        values[index] = values[index]! * kept - (rateOfMean * m) / (Math.sqrt(v) * correction + eps);
      }
    }
  }
}

/** √(Σ g²) over all tensors. */
export function globalNorm(gradients: Values): number {
  let sum = 0;
  for (const gradient of gradients.values()) {
    for (let index = 0; index < gradient.length; index++) sum += gradient[index]! * gradient[index]!;
  }
  return Math.sqrt(sum);
}

/** What gradients are multiplied by so that their norm is at most this, as PyTorch's `clip_grad_norm_` has it. */
export function clippingScale(norm: number, mostNorm: number): number {
  return Math.min(1, mostNorm / (norm + 1e-6));
}
