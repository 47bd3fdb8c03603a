import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Exit } from '../checkpoint/exit.js';
import type { Linear } from '../checkpoint/weights.js';
import { readExitLinear } from '../checkpoint/weights.js';
import type { FoldedBitvoyageExit } from './fold-bitvoyage-exit.js';
import { foldBitvoyageExit } from './fold-bitvoyage-exit.js';

/**
 * A `fastbert` exit with everything folded that does not depend on the text. As trained, for a text of S tokens:
 *
 *     z = tanh(narrow x)                        [S, size]
 *     a = attention over z, query from token 0  [size], heads of width d = size ÷ heads
 *     y = tanh(hidden(output a))                [size]
 *     logits y                                  [classes]
 *
 * Only token 0 asks. Head h scores token t as q·(Wk z_t + bk) ÷ √d with q = Wq z_0 + bq, which is
 * (Wkᵀ q)·z_t ÷ √d plus a term that is equal for all t and cancels in the softmax. So `ask` takes z_0 to the
 * vector Wkᵀ(Wq z_0 + bq) ÷ √d of each head, and no key is computed. Values are linear in z and the weights α
 * sum to 1: Σ α_t (Wv z_t + bv) = Wv (Σ α_t z_t) + bv, so `answer` takes the heads' Σ α_t z_t through value,
 * output and hidden at once, up to the tanh. Exact up to rounding; folded in double precision.
 */
export interface FoldedFastbertExit {
  readonly kind: 'fastbert';
  readonly layer: number;
  readonly size: number;
  readonly heads: number;
  /** `[hidden size, size]`. */
  readonly narrow: Linear;
  /** `[size, heads × size]`. */
  readonly ask: Linear;
  /** `[heads × size, size]`. */
  readonly answer: Linear;
  /** `[size, classes]`. */
  readonly logits: Linear;
}

/** logits(activation(pooler x_0)): nothing to fold. */
export interface PoolerExit {
  readonly kind: 'pooler';
  readonly layer: number;
  readonly activation: 'tanh' | 'gelu' | 'relu';
  /** `[hidden size, hidden size]`. */
  readonly pooler: Linear;
  /** `[hidden size, classes]`. */
  readonly logits: Linear;
}

export type FoldedExit = FoldedFastbertExit | FoldedBitvoyageExit | PoolerExit;

/** @throws CheckpointError */
export async function foldExit(checkpoint: Checkpoint, exit: Exit): Promise<FoldedExit> {
  const { layer } = exit;
  const { hiddenSize } = checkpoint.config.geometry;
  const classes = checkpoint.config.labels.length;
  const read = (name: string, inputs: number, outputs: number): Promise<Linear> =>
    readExitLinear(checkpoint, layer, name, inputs, outputs);
  if (exit.kind === 'pooler') {
    return {
      kind: 'pooler',
      layer,
      activation: exit.activation,
      pooler: await read('pooler', hiddenSize, hiddenSize),
      logits: await read('logits', hiddenSize, classes),
    };
  }
  const { size, heads } = exit;
  const linears = {
    narrow: await read('narrow', hiddenSize, size),
    query: await read('query', size, size),
    key: await read('key', size, size),
    value: await read('value', size, size),
    hidden: await read('hidden', size, size),
    logits: await read('logits', size, classes),
  };
  if (exit.kind === 'bitvoyage') return foldBitvoyageExit(exit, linears);
  const { narrow, query, key, value, hidden, logits } = linears;
  return {
    kind: 'fastbert',
    layer,
    size,
    heads,
    narrow,
    ask: foldAsk(query, key, heads),
    answer: foldAnswer(value, await read('output', size, size), hidden, heads),
    logits,
  };
}

function foldAsk(query: Linear, key: Linear, heads: number): Linear {
  const size = query.inputs;
  const width = size / heads;
  const weight = new Float32Array(size * heads * size);
  const bias = new Float32Array(heads * size);
  for (let head = 0; head < heads; head++) {
    for (let to = 0; to < size; to++) {
      const column = head * size + to;
      for (let from = 0; from < size; from++) {
        let sum = 0;
        for (let j = head * width; j < (head + 1) * width; j++) {
          sum += query.weight[from * size + j]! * key.weight[to * size + j]!;
        }
        weight[from * heads * size + column] = sum / Math.sqrt(width);
      }
      let sum = 0;
      for (let j = head * width; j < (head + 1) * width; j++) {
        sum += query.bias[j]! * key.weight[to * size + j]!;
      }
      bias[column] = sum / Math.sqrt(width);
    }
  }
  return { weight, bias, inputs: size, outputs: heads * size };
}

function foldAnswer(value: Linear, output: Linear, hidden: Linear, heads: number): Linear {
  const size = value.inputs;
  const width = size / heads;
  // output then hidden: [size, size], in double precision.
  const after = new Float64Array(size * size);
  const bias = Float64Array.from(hidden.bias);
  for (let to = 0; to < size; to++) {
    for (let from = 0; from < size; from++) {
      let sum = 0;
      for (let j = 0; j < size; j++) {
        sum += output.weight[from * size + j]! * hidden.weight[j * size + to]!;
      }
      after[from * size + to] = sum;
      bias[to] = bias[to]! + value.bias[from]! * sum;
    }
    for (let j = 0; j < size; j++) {
      bias[to] = bias[to]! + output.bias[j]! * hidden.weight[j * size + to]!;
    }
  }
  const weight = new Float32Array(heads * size * size);
  for (let head = 0; head < heads; head++) {
    for (let from = 0; from < size; from++) {
      for (let to = 0; to < size; to++) {
        let sum = 0;
        for (let j = head * width; j < (head + 1) * width; j++) {
          sum += value.weight[from * size + j]! * after[j * size + to]!;
        }
        weight[(head * size + from) * size + to] = sum;
      }
    }
  }
  return { weight, bias: Float32Array.from(bias), inputs: heads * size, outputs: size };
}
