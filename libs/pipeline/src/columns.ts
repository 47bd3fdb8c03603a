/**
 * The columns that flow through a run. Hot paths carry typed arrays, one per property, never an object per row.
 *
 * Words: a *row* is one text (or pair) of the corpus; a *chunk* is a contiguous range of rows; a *stage* is a
 * group of layers served together; an *exit* is the classifier after a layer (exit 0 sits on the embeddings);
 * a *survivor* is a row that left no exit of a stage; its *activation* is its hidden states.
 */

/** Token ids of many rows, back to back. */
export interface TokenColumns {
  /** Ids of all rows, `[tokens]`; row r owns `offsets[r]` to `offsets[r + 1]`. */
  readonly ids: Int32Array;
  /** Segment of each token (0 first text, 1 second), `[tokens]`; absent for single texts, where it is 0. */
  readonly segments?: Int32Array | undefined;
  /** `[rows + 1]`. */
  readonly offsets: Int32Array;
  /** 1 where a row was cut to the maximum length, `[rows]`. */
  readonly truncated: Uint8Array;
}

/** Hidden states as carried between stages: float32, or float16 in its 16 bits. */
export type Activation = Float32Array | Uint16Array;

/** The rows of a batch that reached one exit, and what the exit said. n = rows that reached it. */
export interface ExitColumns {
  /** Which layer the exit follows. */
  readonly layer: number;
  /** Index within the batch, `[n]`. */
  readonly rows: Int32Array;
  /** `[n, classes]`. */
  readonly probabilities: Float32Array;
  /** Entropy of the probabilities ÷ ln(classes), in 0..1, `[n]`. */
  readonly uncertainty: Float32Array;
}

/** What the run decided for each row. */
export interface LabelColumns {
  readonly rows: number;
  readonly classes: number;
  /** Index of the most probable class, the first on a tie, `[rows]`. */
  readonly label: Uint16Array;
  /** Layer of the exit where the row left, `[rows]`. */
  readonly exitLayer: Uint8Array;
  /** `[rows]`. */
  readonly uncertainty: Float32Array;
  /** `[rows, classes]`. */
  readonly probabilities: Float32Array;
}
