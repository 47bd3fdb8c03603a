/** A row that the model was unsure of. */
export interface UncertainRow {
  /** In the corpus, from 1. */
  readonly row: number;
  /** Its beginning. */
  readonly text: string;
  /** Of the second text, for models of pairs. */
  readonly pair?: string | undefined;
  /** One, or any number where the model gives several. */
  readonly labels: readonly string[];
  /** Of the label, where there is one. */
  readonly confidence?: number | undefined;
  readonly exitLayer: number;
  readonly uncertainty: number;
}
