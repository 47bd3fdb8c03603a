import type { Tensor } from '@tensorflow/tfjs-core';
import { customGrad } from '@tensorflow/tfjs-core';

/** What a function gives, and what its gradient needs of it. */
export interface Forward {
  readonly value: Tensor;
  readonly saved: Tensor[];
}

/**
 * A function with a gradient of its own, for autograd to use as one operation.
 *
 * @param backward gives the gradient of each input, in their order, from that of the value
 */
export function withGradient(
  inputs: readonly Tensor[],
  forward: () => Forward,
  backward: (dy: Tensor, saved: readonly Tensor[]) => Tensor[],
): Tensor {
  return customGrad((...given) => {
    const save = given.at(-1);
    const { value, saved } = forward();
    if (typeof save === 'function') save(saved);
    return { value, gradFunc: backward };
  })(...inputs);
}
