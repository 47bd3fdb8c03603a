export const specialTokenRules = ['cls-sep', 'cls', 'cls-sep-sep'] as const;

/**
 * How texts are framed: `cls-sep` is `[CLS] a [SEP]`, for pairs `[CLS] a [SEP] b [SEP]` with segment 1 from b on;
 * `cls` is `[CLS] a`, which knows no pairs; `cls-sep-sep` is `<s> a </s>`, for pairs `<s> a </s></s> b </s>`.
 */
export type SpecialTokenRule = (typeof specialTokenRules)[number];

/** How many special tokens a row has. */
export function specialTokenCount(rule: SpecialTokenRule, pairs: boolean): number {
  if (rule === 'cls') return 1;
  return pairs ? 3 : 2;
}
