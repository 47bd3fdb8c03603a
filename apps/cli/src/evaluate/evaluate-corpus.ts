import type { CorpusOptions } from '#corpus/corpus-options.js';
import { openCorpus } from '#corpus/open-corpus.js';
import { fingerprint } from '#inference/fingerprint.js';
import type { Bundle } from '#model/bundle/bundle.js';
import type { Corpus } from '#pipeline/ports.js';
import type { OpenLabeller } from '#run/open-labeller.js';
import { openLabeller } from '#run/open-labeller.js';
import { countText } from '../terminal/quantity.js';
import type { Evaluation } from './evaluation.js';
import { evaluationOf } from './evaluation.js';
import { gatherOpinions } from './gather-opinions.js';
import type { NamedPolicy } from './named-policies.js';
import { TIMING_ROUNDS, timePolicies } from './time-policies.js';
import { TokenSample } from './token-sample.js';

/** Rows that the stage engine is timed on, at most. */
const TIMED_ROWS = 1000;
const NOTE_EVERY_MS = 5000;

export interface EvaluateOptions {
  readonly corpus: CorpusOptions;
  readonly policies: readonly NamedPolicy[];
  /** Index of the positive class among the labels. */
  readonly positive: number | undefined;
  /** Whether the stage engine is timed. */
  readonly timing: boolean;
  /** Inference threads. */
  readonly workers: number;
  readonly onNote: (note: string) => void;
}

/**
 * Opens every part, evaluates, closes every part.
 * @throws CorpusOpenError, GraphLoadError, GoldenMismatchError, NonFiniteError
 */
export async function evaluateCorpus(bundle: Bundle, options: EvaluateOptions): Promise<Evaluation> {
  const corpus = await openCorpus(options.corpus);
  try {
    for (const note of corpus.convention.notes) options.onNote(note);
    const labeller = await openLabeller(bundle, {
      workers: options.workers,
      tokenizerThreads: 1,
      batchTokens: 1024,
      survivorMemory: 256,
    });
    try {
      return await evaluateWith(labeller, corpus, bundle, options);
    } finally {
      await labeller.close();
    }
  } finally {
    await corpus.close();
  }
}

async function evaluateWith(
  labeller: OpenLabeller,
  corpus: Corpus,
  bundle: Bundle,
  { corpus: { paths }, policies, positive, timing, workers, onNote }: EvaluateOptions,
): Promise<Evaluation> {
  const sample = new TokenSample(TIMED_ROWS);
  const noteRows = everyFewSeconds((rows) => onNote(`… ${countText(rows)} rows through every exit`));
  const parts = { manifest: bundle.manifest, tokenizer: labeller.tokenizer, runner: labeller.runner };
  const { opinions, counts } = await gatherOpinions(corpus, parts, (tokens, rows) => {
    sample.add(tokens);
    noteRows(rows);
  });
  const tokens = sample.columns();
  const texts = tokens.offsets.length - 1;
  const timed = timing && texts > 0;
  const onRound = (round: number): void =>
    onNote(`… timing ${countText(texts)} texts, round ${round + 1} of ${TIMING_ROUNDS}`);
  return evaluationOf({
    corpus: paths,
    bundle,
    fingerprint: fingerprint(),
    counts,
    opinions,
    policies,
    positive,
    timing: timed ? { texts, rounds: TIMING_ROUNDS, workers } : undefined,
    rates: timed ? await timePolicies(labeller, policies, tokens, onRound) : [],
  });
}

function everyFewSeconds(say: (rows: number) => void): (rows: number) => void {
  let said = performance.now();
  return (rows) => {
    if (performance.now() - said < NOTE_EVERY_MS) return;
    said = performance.now();
    say(rows);
  };
}
