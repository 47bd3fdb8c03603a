/** What the exits answer: one of the labels, any number of them, or a number for each. */
export type AnswerForm =
  | { readonly problem: 'single-label' }
  /** A text has each label whose probability reaches its threshold, `[labels]`. */
  | { readonly problem: 'multi-label'; readonly thresholds: readonly number[] }
  | { readonly problem: 'regression' };

export const oneLabel: AnswerForm = { problem: 'single-label' };

/** Whether a text has a label. @param thresholds `[labels]`, compared in float32 as the probabilities are */
export function hasLabel(probability: number, threshold: number): boolean {
  return probability >= Math.fround(threshold);
}
