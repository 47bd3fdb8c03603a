import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';

/** What an exit says of a text. */
interface Answer {
  /** `[n,C]`: of each label; a regression's numbers as they are. */
  readonly probabilities: Value;
  /** `[n]`, in 0..1; 0 for a regression, which has none. */
  readonly uncertainty: Value;
}

/**
 * From logits to probabilities and uncertainty.
 *
 * - single-label: the softmax; its entropy ÷ ln C. With `uncertaintyTop` K it is the entropy of the K highest
 *   probabilities, made to sum to 1, ÷ ln K: with many classes the tail's noise would drown what the few likely ones say.
 * - multi-label: of each label the sigmoid, which is the softmax of (logit, 0); the mean of these pairs' entropies ÷ ln 2.
 * - regression: the logits.
 *
 * Entropies are Σ p · LogSoftmax, which has no 0·ln 0.
 *
 * @param logits `[n,C]` float32
 */
export function writeAnswer(
  graph: GraphBuilder,
  logits: Value,
  { problem, labels, uncertaintyTop }: Pick<CheckpointConfig, 'problem' | 'labels' | 'uncertaintyTop'>,
): Answer {
  const classes = labels.length;
  switch (problem) {
    case 'single-label': {
      const probabilities = graph.node('Softmax', [logits], { axis: { int: 1 } });
      if (uncertaintyTop === undefined) {
        const terms = entropyTerms(graph, logits, probabilities, 1);
        return { probabilities, uncertainty: summed(graph, terms, classes, Math.log(classes)) };
      }
      const [likely = ''] = graph.nodes('TopK', [logits, graph.int64([uncertaintyTop])], 2, {
        axis: { int: 1 },
      });
      const ofLikely = graph.node('Softmax', [likely], { axis: { int: 1 } });
      const terms = entropyTerms(graph, likely, ofLikely, 1);
      return { probabilities, uncertainty: summed(graph, terms, uncertaintyTop, Math.log(uncertaintyTop)) };
    }
    case 'multi-label': {
      const yes = graph.node('Unsqueeze', [logits, graph.int64([2])]);
      const pairs = graph.node('Concat', [yes, graph.node('Sub', [yes, yes])], { axis: { int: 2 } });
      const ofPairs = graph.node('Softmax', [pairs], { axis: { int: 2 } });
      const terms = graph.node('Reshape', [
        entropyTerms(graph, pairs, ofPairs, 2),
        graph.int64([0, 2 * classes]),
      ]);
      return {
        probabilities: graph.node('Gather', [ofPairs, graph.int32(0)], { axis: { int: 2 } }),
        uncertainty: summed(graph, terms, 2 * classes, classes * Math.LN2),
      };
    }
    case 'regression': {
      const zeros = graph.node('Sub', [logits, logits]);
      return {
        probabilities: logits,
        uncertainty: graph.node('Gather', [zeros, graph.int32(0)], { axis: { int: 1 } }),
      };
    }
  }
}

function entropyTerms(graph: GraphBuilder, logits: Value, probabilities: Value, axis: number): Value {
  return graph.node('Mul', [probabilities, graph.node('LogSoftmax', [logits], { axis: { int: axis } })]);
}

/**
 * −Σ terms ÷ most, in 0..1. Summed by a matmul, which adds in one order for every row; ReduceSum takes another one for a
 * lone row.
 *
 * @param terms `[n,count]`
 * @param most the highest that the entropy can be
 */
function summed(graph: GraphBuilder, terms: Value, count: number, most: number): Value {
  const factors = new Float32Array(count).fill(-1 / most);
  const entropy = graph.node('MatMul', [terms, graph.constant(factors, [count, 1], 'float32')]);
  const scaled = graph.node('Squeeze', [entropy, graph.int64([1])]);
  return graph.node('Clip', [scaled, graph.float(0), graph.float(1)]);
}
