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
  /** E: width of the embedding tables, which a linear layer takes to H; where left out, they have width H. */
  readonly embeddingSize?: number | undefined;
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

/** Work of the parts of a model, for a row of so many tokens. */
interface PartsWork {
  readonly embeddings: number;
  readonly layer: number;
  readonly exit: (exit: ExitShape) => number;
}

/**
 * The convention of FastBERT's paper (arXiv 2004.02178, tables 1 and 2): linear layers only, and every row of 128 tokens.
 *
 *     layer            2 S (4 H² + 2 H I)
 *     fastbert exit    2 S (H z + 4 z²) + 2 (z² + z C)     width z, as trained: query, key, value, output of all tokens
 *     bitvoyage exit   2 S (H z + 3 z²) + 2 (z² + z C)     the same without output
 *     pooler exit      2 (H² + H C)
 *     embeddings       2 S E H                             where there is E
 *
 * BERT-base (12 × 768) with one exit of width 128 has 21,785 million, as in the paper's tables.
 */
export function paperWork(shape: ModelShape): RowWork {
  const { hiddenSize, classes } = shape;
  const exitWork = (exit: ExitShape): number => {
    if (exit.kind === 'pooler') return poolerWork(shape);
    const { size } = exit;
    const squares = exit.kind === 'fastbert' ? 4 : 3;
    return 2 * PAPER_TOKENS * (hiddenSize * size + squares * size ** 2) + 2 * (size ** 2 + size * classes);
  };
  return rowWork(shape, () => ({
    embeddings: projectionWork(shape, PAPER_TOKENS),
    layer: layerWork(shape, PAPER_TOKENS),
    exit: exitWork,
  }));
}

/**
 * What the compiled graphs compute, at a row's real length S: linear layers, attention products and folded exits.
 *
 *     layer            2 S (4 H² + 2 H I) + 4 S² H         query · key and weights · value, S² H each
 *     fastbert exit    2 S H z + 4 S h z + 4 h z² + 2 z C  width z, h heads; folded as fold-exit.ts describes
 *     bitvoyage exit   4 H z + 4 S h H + 2 h H C           folded as fold-bitvoyage-exit.ts describes
 *     pooler exit      2 (H² + H C)
 *     embeddings       2 S E H                             where there is E
 */
export function countedWork(shape: ModelShape): RowWork {
  const { hiddenSize, classes } = shape;
  const exitWork = (exit: ExitShape, tokens: number): number => {
    if (exit.kind === 'pooler') return poolerWork(shape);
    const { size, heads } = exit;
    if (exit.kind === 'bitvoyage') {
      return 4 * hiddenSize * size + 4 * tokens * heads * hiddenSize + 2 * heads * hiddenSize * classes;
    }
    return (
      2 * tokens * hiddenSize * size + 4 * tokens * heads * size + 4 * heads * size ** 2 + 2 * size * classes
    );
  };
  return rowWork(shape, (tokens) => ({
    embeddings: projectionWork(shape, tokens),
    layer: layerWork(shape, tokens) + 4 * tokens ** 2 * hiddenSize,
    exit: (exit) => exitWork(exit, tokens),
  }));
}

function rowWork({ exits, layers }: ModelShape, partsOf: (tokens: number) => PartsWork): RowWork {
  return {
    upTo(index, tokens) {
      const { embeddings, layer, exit } = partsOf(tokens);
      let work = embeddings + exits[index]!.layer * layer;
      for (let passed = 0; passed <= index; passed++) work += exit(exits[passed]!);
      return work;
    },
    full(tokens) {
      const { embeddings, layer, exit } = partsOf(tokens);
      return embeddings + layers * layer + exit(exits.at(-1)!);
    },
  };
}

function projectionWork({ embeddingSize, hiddenSize }: ModelShape, tokens: number): number {
  return embeddingSize === undefined ? 0 : 2 * tokens * embeddingSize * hiddenSize;
}

function layerWork({ hiddenSize, intermediateSize }: ModelShape, tokens: number): number {
  return 2 * tokens * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);
}

function poolerWork({ hiddenSize, classes }: ModelShape): number {
  return 2 * (hiddenSize ** 2 + hiddenSize * classes);
}
