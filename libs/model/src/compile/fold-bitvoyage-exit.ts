import type { Linear } from '../checkpoint/weights.js';

/**
 * A `bitvoyage` exit with everything folded that does not depend on the text. As trained, for a text of S tokens:
 *
 *     z = narrow x                              [S, size]
 *     a = attention over z, query from token 0  [size], heads of width d = size ÷ heads
 *     logits(hidden a)                          [classes]
 *
 * Nothing bends between its linear maps, so both sides of the attention move to x itself. Head h scores token t as
 * q·(Wk (Wn x_t + bn) + bk) ÷ √d with q = Wq (Wn x_0 + bn) + bq, which is ((Wk Wn)ᵀ q)·x_t ÷ √d plus a term that is equal
 * for all t and cancels in the softmax: `ask` takes x_0 to q, `keys` takes q to that vector. The weights α sum to 1, so
 * `answer` takes the heads' Σ α_t x_t through narrow, value, hidden and logits at once. Exact up to rounding; folded in
 * double precision.
 */
export interface FoldedBitvoyageExit {
  readonly kind: 'bitvoyage';
  readonly layer: number;
  readonly size: number;
  readonly heads: number;
  /** `[hidden size, size]`. */
  readonly ask: Linear;
  /** `[heads, d, hidden size]`. */
  readonly keys: Float32Array;
  /** `[heads × hidden size, classes]`. */
  readonly answer: Linear;
}

/** The linear maps of the exit as it was trained. */
export interface BitvoyageLinears {
  /** `[hidden size, size]`. */
  readonly narrow: Linear;
  /** `[size, size]`, as the next three. */
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly hidden: Linear;
  /** `[size, classes]`. */
  readonly logits: Linear;
}

export function foldBitvoyageExit(
  { layer, size, heads }: { readonly layer: number; readonly size: number; readonly heads: number },
  { narrow, query, key, value, hidden, logits }: BitvoyageLinears,
): FoldedBitvoyageExit {
  return {
    kind: 'bitvoyage',
    layer,
    size,
    heads,
    ask: float32(composed(narrow, query)),
    keys: keysByHead(composed(narrow, key), heads),
    answer: float32(answerOf(composed(narrow, value), composed(hidden, logits), heads)),
  };
}

/** A linear in double precision, laid out as `Linear` is. */
interface DoubleLinear {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly inputs: number;
  readonly outputs: number;
}

/** `next` after `first`. */
function composed(first: Linear, next: Linear): DoubleLinear {
  const { inputs, outputs: middle } = first;
  const { outputs } = next;
  const weight = new Float64Array(inputs * outputs);
  const bias = Float64Array.from(next.bias);
  for (let j = 0; j < middle; j++) {
    for (let out = 0; out < outputs; out++) {
      const factor = next.weight[j * outputs + out]!;
      bias[out] = bias[out]! + first.bias[j]! * factor;
      for (let i = 0; i < inputs; i++) {
        weight[i * outputs + out] = weight[i * outputs + out]! + first.weight[i * middle + j]! * factor;
      }
    }
  }
  return { weight, bias, inputs, outputs };
}

/** Weights of the keys by head, divided by √d: `[heads, d, hidden size]`. */
function keysByHead({ weight, inputs, outputs }: DoubleLinear, heads: number): Float32Array {
  const scale = Math.sqrt(outputs / heads);
  const keys = new Float32Array(inputs * outputs);
  for (let j = 0; j < outputs; j++) {
    for (let i = 0; i < inputs; i++) keys[j * inputs + i] = weight[i * outputs + j]! / scale;
  }
  return keys;
}

function answerOf(value: DoubleLinear, after: DoubleLinear, heads: number): DoubleLinear {
  const { inputs: hiddenSize, outputs: size } = value;
  const { outputs: classes } = after;
  const width = size / heads;
  const weight = new Float64Array(heads * hiddenSize * classes);
  const bias = Float64Array.from(after.bias);
  for (let j = 0; j < size; j++) {
    const head = Math.floor(j / width);
    for (let c = 0; c < classes; c++) {
      const factor = after.weight[j * classes + c]!;
      bias[c] = bias[c]! + value.bias[j]! * factor;
      for (let i = 0; i < hiddenSize; i++) {
        const at = (head * hiddenSize + i) * classes + c;
        weight[at] = weight[at]! + value.weight[i * size + j]! * factor;
      }
    }
  }
  return { weight, bias, inputs: heads * hiddenSize, outputs: classes };
}

function float32({ weight, bias, inputs, outputs }: DoubleLinear): Linear {
  return { weight: Float32Array.from(weight), bias: Float32Array.from(bias), inputs, outputs };
}
