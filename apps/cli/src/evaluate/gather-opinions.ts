import type { Manifest } from '#model/bundle/manifest.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { labelsOf } from '#model/compile/exit-quality.js';
import { runnerOpinions } from '#model/compile/runner-opinions.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { OpinionColumns } from '#pipeline/evaluation/opinion-columns.js';
import { goldColumn, joinOpinions } from '#pipeline/evaluation/opinion-columns.js';
import { corpusRow, NonFiniteError } from '#pipeline/label-chunk.js';
import type { Corpus, CorpusChunk, StageRunner, Tokenizer } from '#pipeline/ports.js';
import { exitLayers } from '#pipeline/stage-layout.js';

/** Rows of a corpus, counted. */
export interface RowCounts {
  readonly rows: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** Rows cut to the model's maximum length. */
  readonly truncated: number;
  readonly tokens: number;
}

export interface GatheredOpinions {
  readonly opinions: OpinionColumns;
  readonly counts: RowCounts;
}

/** What works on the corpus. */
export interface OpinionParts {
  readonly manifest: Manifest;
  readonly tokenizer: Tokenizer;
  readonly runner: StageRunner;
}

/**
 * Runs every row of a corpus once through all exits.
 * @param onChunk hears the chunk's tokens and how many rows have been through
 * @throws NonFiniteError
 */
export async function gatherOpinions(
  corpus: Corpus,
  { manifest, tokenizer, runner }: OpinionParts,
  onChunk: (tokens: TokenColumns, rows: number) => void,
): Promise<GatheredOpinions> {
  const { labels } = manifest;
  const layout = layoutOf(manifest);
  const parts: OpinionColumns[] = [];
  const rejectedByReason = new Map<string, number>();
  let [rows, rejected, truncated, tokenCount] = [0, 0, 0, 0];
  for await (const chunk of corpus.chunks()) {
    rows += chunk.rows;
    rejected += chunk.rejects.length;
    for (const { reason } of chunk.rejects) {
      rejectedByReason.set(reason, (rejectedByReason.get(reason) ?? 0) + 1);
    }
    if (chunk.texts.length === 0) continue;
    const tokens = await tokenizer.tokenize(chunk.texts, chunk.pairs);
    const { exits } = await runnerOpinions(runner, layout.stages, tokens, labels.length);
    parts.push({
      rows: chunk.texts.length,
      lengths: Int32Array.from(chunk.texts, (_, row) => tokens.offsets[row + 1]! - tokens.offsets[row]!),
      golds: goldColumn(chunk.golds, chunk.texts.length, labels),
      exits: [...exits].map(([layer, { probabilities, uncertainty }]) => {
        expectFinite(chunk, layer, uncertainty);
        return { layer, label: labelsOf(probabilities, labels.length), uncertainty };
      }),
    });
    truncated += tokens.truncated.reduce((sum, cut) => sum + cut, 0);
    tokenCount += tokens.ids.length;
    onChunk(tokens, rows);
  }
  return {
    opinions: joinOpinions(parts, exitLayers(layout)),
    counts: {
      rows,
      rejected,
      rejectedByReason: Object.fromEntries([...rejectedByReason].sort(([a], [b]) => (a < b ? -1 : 1))),
      truncated,
      tokens: tokenCount,
    },
  };
}

/** Uncertainty is a sum over all probabilities, so it is no number where one of them is none. */
function expectFinite(chunk: CorpusChunk, layer: number, uncertainty: Float32Array): void {
  const row = uncertainty.findIndex((value) => !Number.isFinite(value));
  if (row >= 0) throw new NonFiniteError(corpusRow(chunk, row), layer);
}
