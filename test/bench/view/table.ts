/** A table of a result, as text and as Markdown show it. */
export interface ResultTable {
  readonly title: string;
  /** What the figures are, and how they were got. */
  readonly note: string;
  /** The first column is text, the others are figures. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
