import type { Activation } from '../checkpoint/checkpoint-config.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { MICROSOFT } from '../onnx/graph-builder.js';

/**
 * Writes the activation of x + bias.
 * @param tanhForm of an exact gelu: off by 5e-4 at most, far below int8's steps, and in two thirds of the time
 */
export function writeActivation(
  graph: GraphBuilder,
  x: Value,
  bias: Value,
  activation: Activation,
  tanhForm: boolean,
): Value {
  switch (activation) {
    case 'gelu':
      return graph.node(tanhForm ? 'FastGelu' : 'BiasGelu', [x, bias], {}, MICROSOFT);
    case 'gelu_new':
      return graph.node('FastGelu', [x, bias], {}, MICROSOFT);
    case 'relu':
      return graph.node('Relu', [graph.node('Add', [x, bias])]);
    case 'silu':
      return graph.node('QuickGelu', [graph.node('Add', [x, bias])], { alpha: 1 }, MICROSOFT);
  }
}
