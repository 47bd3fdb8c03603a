/** What an exit computes with; `size` is the width of a `fastbert` or `bitvoyage` exit. */
export type ExitShape =
  | {
      readonly layer: number;
      readonly kind: 'fastbert' | 'bitvoyage';
      readonly size: number;
      readonly heads: number;
    }
  | { readonly layer: number; readonly kind: 'pooler' };

export interface ModelShape {
  readonly layers: number;
  /** H. */
  readonly hiddenSize: number;
  /** I. */
  readonly intermediateSize: number;
  /** C. */
  readonly classes: number;
  /** Ascending by layer; the last is the teacher. */
  readonly exits: readonly ExitShape[];
}

/**
 * Floating-point operations of one row, two for a multiplication and its addition. Neither way of counting has
 * look-ups, biases, normalisation, softmax or activation functions.
 */
export interface RowWork {
  /** Up to and with an exit: all layers and all exits before it. @param exit index among the model's exits */
  upTo(exit: number, tokens: number): number;
  /** The model without early exits: every layer and the last exit alone. */
  full(tokens: number): number;
}

/** Tokens of a row in the paper's figures. */
const PAPER_TOKENS = 128;

/**
 * The convention of FastBERT's paper (arXiv 2004.02178, tables 1 and 2): linear layers only, and every row of 128 tokens.
 *
 *     layer            2 S (4 H² + 2 H I)
 *     fastbert exit    2 S (H z + 4 z²) + 2 (z² + z C)     width z, as trained: query, key, value, output of all tokens
 *     pooler exit      2 (H² + H C)
 *
 * BERT-base (12 × 768) with one exit of width 128 has 21,785 million, as in the paper's tables.
 */
export function paperWork(shape: ModelShape): RowWork {
  const { hiddenSize, classes } = shape;
  const exitWork = (exit: ExitShape): number =>
    exit.kind === 'pooler'
      ? poolerWork(shape)
      : 2 * PAPER_TOKENS * (hiddenSize * exit.size + 4 * exit.size ** 2) +
        2 * (exit.size ** 2 + exit.size * classes);
  return rowWork(shape, () => layerWork(shape, PAPER_TOKENS), exitWork);
}

/**
 * What the compiled graphs compute, at a row's real length S: linear layers, attention products and folded exits.
 *
 *     layer            2 S (4 H² + 2 H I) + 4 S² H         query · key and weights · value, S² H each
 *     fastbert exit    2 S H z + 4 S h z + 4 h z² + 2 z C  width z, h heads; folded as fold-exit.ts describes
 *     pooler exit      2 (H² + H C)
 */
export function countedWork(shape: ModelShape): RowWork {
  const { hiddenSize, classes } = shape;
  const exitWork = (exit: ExitShape, tokens: number): number => {
    if (exit.kind === 'pooler') return poolerWork(shape);
    const { size, heads } = exit;
    return (
      2 * tokens * hiddenSize * size + 4 * tokens * heads * size + 4 * heads * size ** 2 + 2 * size * classes
    );
  };
  return rowWork(shape, (tokens) => layerWork(shape, tokens) + 4 * tokens ** 2 * hiddenSize, exitWork);
}

function rowWork(
  { exits, layers }: ModelShape,
  layer: (tokens: number) => number,
  exit: (exit: ExitShape, tokens: number) => number,
): RowWork {
  return {
    upTo(index, tokens) {
      let work = exits[index]!.layer * layer(tokens);
      for (let passed = 0; passed <= index; passed++) work += exit(exits[passed]!, tokens);
      return work;
    },
    full: (tokens) => layers * layer(tokens) + exit(exits.at(-1)!, tokens),
  };
}

function layerWork({ hiddenSize, intermediateSize }: ModelShape, tokens: number): number {
  return 2 * tokens * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);
}

function poolerWork({ hiddenSize, classes }: ModelShape): number {
  return 2 * (hiddenSize ** 2 + hiddenSize * classes);
}
