import type { GradConfig, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

type InputGradients = Record<string, () => Tensor>;

/** Sums over the axes along which an input was repeated. */
function summedTo(gradient: Tensor, { shape }: Tensor): Tensor {
  const added = gradient.rank - shape.length;
  const repeated = [...gradient.shape.keys()].filter(
    (axis) => axis < added || (shape[axis - added] === 1 && gradient.shape[axis] !== 1),
  );
  const summed = repeated.length === 0 ? gradient : tf.sum(gradient, repeated);
  return tf.reshape(summed, shape);
}

function ofInputs(
  kernelName: string,
  gradFunc: (dy: Tensor, a: Tensor, b: Tensor) => { a: () => Tensor; b: () => Tensor },
): GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]: Tensor[]) => gradFunc(one(dy), a!, b!),
  };
}

function ofInput(
  kernelName: string,
  gradient: (dy: Tensor, x: Tensor, attributes: NamedAttrMap) => Tensor,
): GradConfig {
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]: Tensor[], attributes): InputGradients => ({
      x: () => gradient(one(dy), x!, attributes),
    }),
  };
}

function ofOutput(kernelName: string, gradient: (dy: Tensor, y: Tensor) => Tensor): GradConfig {
  return {
    kernelName,
    outputsToSave: [true],
    gradFunc: (dy, [y]: Tensor[]): InputGradients => ({ x: () => gradient(one(dy), y!) }),
  };
}

/** All kernels here have one output. */
function one(dy: Tensor | Tensor[]): Tensor {
  return Array.isArray(dy) ? dy[0]! : dy;
}

/** An attribute that is a number or a list of them; none where it is not given. */
function list(attributes: NamedAttrMap, name: string): number[] {
  const value: unknown = attributes[name] ?? [];
  return (Array.isArray(value) ? value : [value]).map(Number);
}

/** Where each axis of a transposed tensor goes back to. */
function inverse(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

const gradients: readonly GradConfig[] = [
  ofInputs('Add', (dy, a, b) => ({ a: () => summedTo(dy, a), b: () => summedTo(dy, b) })),
  ofInputs('Sub', (dy, a, b) => ({ a: () => summedTo(dy, a), b: () => summedTo(tf.neg(dy), b) })),
  ofInputs('Multiply', (dy, a, b) => ({
    a: () => summedTo(tf.mul(dy, b), a),
    b: () => summedTo(tf.mul(dy, a), b),
  })),
  ofInputs('RealDiv', (dy, a, b) => ({
    a: () => summedTo(tf.div(dy, b), a),
    b: () => summedTo(tf.neg(tf.div(tf.mul(dy, a), tf.square(b))), b),
  })),
  ofInput('Reshape', (dy, x) => tf.reshape(dy, x.shape)),
  ofInput('Square', (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  ofInput('Relu', (dy, x) => tf.mul(dy, tf.step(x))),
  ofInput('Transpose', (dy, _, attributes) => tf.transpose(dy, inverse(list(attributes, 'perm')))),
  ofInput('Sum', (dy, x, attributes) => {
    const axes = new Set(list(attributes, 'axis').map((axis) => (axis + x.rank) % x.rank));
    const kept = x.shape.map((dim, axis) => (axes.size === 0 || axes.has(axis) ? 1 : dim));
    return tf.mul(tf.reshape(dy, kept), tf.onesLike(x));
  }),
  ofInput('Slice', (dy, x, attributes) => {
    const begin = list(attributes, 'begin');
    return tf.pad(
      dy,
      x.shape.map((dim, axis): [number, number] => [begin[axis]!, dim - begin[axis]! - dy.shape[axis]!]),
    );
  }),
  ofOutput('Exp', (dy, y) => tf.mul(dy, y)),
  ofOutput('Sqrt', (dy, y) => tf.div(dy, tf.mul(y, 2))),
  ofOutput('Tanh', (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  ofOutput('Sigmoid', (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
];

/**
 * Tells autograd the gradients of the operations that the model is made of beside its own (`withGradient`). The library's
 * registrations come only in files for bundlers, or with all of its layers, loaders and WebGL.
 */
export function registerGradients(): void {
  for (const gradient of gradients) {
    if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
  }
}
