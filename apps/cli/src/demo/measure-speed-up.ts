import { openCorpus } from '#corpus/open-corpus.js';
import type { Bundle } from '#model/bundle/bundle.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { RowLabeller } from '#pipeline/ports.js';
import type { LabelOptions } from '#run/label-options.js';
import { openLabeller } from '#run/open-labeller.js';

/** Texts per second over the rounds. */
export interface Rate {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface SpeedUp {
  readonly early: Rate;
  /** Every text through every layer. */
  readonly full: Rate;
  /** early ÷ full, of the medians. */
  readonly ratio: number;
}

const ROUNDS = 3;
const EARLY_TEXTS = 1024;
/** Fewer, because each takes longer; both are spread over the whole corpus. */
const FULL_TEXTS = 128;

/** Times texts of the corpus, tokenising included, with the policy and at full depth, in turn, on the same threads. */
export async function measureSpeedUp(
  bundle: Bundle,
  policy: ExitPolicy,
  options: LabelOptions,
): Promise<SpeedUp> {
  const texts = await corpusTexts(options);
  const labeller = await openLabeller(bundle, options);
  try {
    const early = labeller.withPolicy(policy);
    const full = labeller.withPolicy(policyOfSpeed(0, layoutOf(bundle.manifest)));
    const rate = async (rows: RowLabeller, count: number): Promise<number> => {
      const sample = spread(texts, count);
      const begun = performance.now();
      await rows.label(await labeller.tokenizer.tokenize(sample));
      return (sample.length / (performance.now() - begun)) * 1000;
    };
    const rates: { early: number[]; full: number[] } = { early: [], full: [] };
    for (let round = 0; round < ROUNDS; round++) {
      rates.early.push(await rate(early, EARLY_TEXTS));
      rates.full.push(await rate(full, FULL_TEXTS));
    }
    const [earlyRate, fullRate] = [summary(rates.early), summary(rates.full)];
    return { early: earlyRate, full: fullRate, ratio: earlyRate.median / fullRate.median };
  } finally {
    await labeller.close();
  }
}

async function corpusTexts(options: LabelOptions): Promise<string[]> {
  const corpus = await openCorpus({ paths: options.corpus });
  try {
    const texts: string[] = [];
    for await (const chunk of corpus.chunks()) texts.push(...chunk.texts);
    return texts;
  } finally {
    await corpus.close();
  }
}

/** `count` texts at even distances. */
function spread(texts: readonly string[], count: number): string[] {
  const step = Math.max(1, texts.length / count);
  return Array.from({ length: Math.min(count, texts.length) }, (_, i) => texts[Math.floor(i * step)]!);
}

function summary(rates: readonly number[]): Rate {
  const sorted = rates.toSorted((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1]!,
    least: sorted[0]!,
    most: sorted.at(-1)!,
  };
}
