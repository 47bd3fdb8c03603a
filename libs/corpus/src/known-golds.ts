import type { CorpusChunk, PlannedChunk } from '#pipeline/ports.js';
import { goldLabels } from '#pipeline/report/label-sets.js';

import type { CorpusOptions } from './corpus-options.js';
import type { FileCorpus } from './file-corpus.js';
import { isClassNumber } from './table-convention.js';

/** Rows whose labels say what labels are. */
const HEAD_ROWS = 1000;
/** Classes or labels that a note names. */
const SHOWN = 6;

/**
 * A corpus whose golds are labels of the model that it is for, as far as they can be told from its first 1,000 rows:
 * numbers from 0 are those of classes where none of them is a label by itself. Golds of a label field that was merely
 * recognised are left out where they are neither.
 */
export async function withKnownGolds(corpus: FileCorpus, options: CorpusOptions): Promise<FileCorpus> {
  const { recognise, labelField } = options;
  const recognised = corpus.convention.reading.labelField;
  const field = labelField ?? recognised;
  if (recognise === undefined || field === undefined) return corpus;
  const { labels, problem = 'single-label' } = recognise;
  if (problem === 'regression') return corpus;
  const found = new Set(
    [...(await headGolds(corpus))].flatMap((gold) => (problem === 'multi-label' ? goldLabels(gold) : [gold])),
  );
  if (found.size === 0 || labels.some((label) => found.has(label))) return corpus;
  if (problem === 'single-label' && [...found].every((gold) => isClassNumber(gold, labels.length))) {
    const classes = labels.map((label, index) => `${index} is ${label}`);
    const note = `The labels in ${field} are numbers of classes: ${shown(classes)}.`;
    return withGolds(corpus, note, (golds) => golds.map((gold) => labelOf(gold, labels)));
  }
  if (labelField !== undefined) return corpus;
  const note =
    `The labels in ${field} are not the model's: found ${shown([...found].map((gold) => JSON.stringify(gold)))}, ` +
    `expected ${shown(labels)}, or 0 to ${labels.length - 1}. Quality is not measured; say --label-field to count them as wrong.`;
  return withGolds(corpus, note, () => undefined);
}

function labelOf(gold: string | undefined, labels: readonly string[]): string | undefined {
  return gold !== undefined && isClassNumber(gold, labels.length) ? labels[Number(gold)] : gold;
}

async function headGolds(corpus: FileCorpus): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { firstRow, rows, golds = [], rejects } of corpus.chunks()) {
    const behind = Math.min(firstRow + rows, HEAD_ROWS + 1);
    const accepted = behind - firstRow - rejects.filter(({ row }) => row < behind).length;
    for (const gold of golds.slice(0, accepted)) if (gold !== undefined) found.add(gold);
    if (behind > HEAD_ROWS) break;
  }
  return found;
}

type Golds = NonNullable<CorpusChunk['golds']>;

/** A corpus with other golds. */
function withGolds(
  corpus: FileCorpus,
  note: string,
  change: (golds: Golds) => CorpusChunk['golds'],
): FileCorpus {
  const changed = (chunk: CorpusChunk): CorpusChunk => ({
    ...chunk,
    golds: chunk.golds && change(chunk.golds),
  });
  const { fields, convention } = corpus;
  return {
    fields,
    convention: { ...convention, notes: [...convention.notes, note] },
    get bytes() {
      return corpus.bytes;
    },
    async *chunks(after?: PlannedChunk) {
      for await (const chunk of corpus.chunks(after)) yield changed(chunk);
    },
    reread: async (planned) => changed(await corpus.reread(planned)),
    verify: (planned) => corpus.verify(planned),
    close: () => corpus.close(),
  };
}

function shown(words: readonly string[]): string {
  return words.length > SHOWN ? `${words.slice(0, SHOWN).join(', ')}, …` : words.join(', ');
}
