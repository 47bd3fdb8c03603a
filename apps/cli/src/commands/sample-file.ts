import type { RowsOfModel } from '#corpus/corpus-options.js';
import { openCorpus } from '#corpus/open-corpus.js';
import type { SampleTexts } from '#model/compile/sample-texts.js';
import type { CorpusFields } from './corpus-fields.js';

/** How a sample is read. */
interface SampleReading {
  readonly fields: CorpusFields;
  readonly recognise: RowsOfModel;
  readonly onNote: (note: string) => void;
}

/** The first rows of a corpus; rows that cannot be read are passed over. @throws CorpusOpenError */
export async function readSample(
  path: string,
  rows: number,
  { fields, recognise, onNote }: SampleReading,
): Promise<SampleTexts> {
  const corpus = await openCorpus({ ...fields, recognise, paths: [path], limit: rows });
  try {
    for (const note of corpus.convention.notes) onNote(note);
    const texts: string[] = [];
    const pairs: string[] = [];
    const labels: (string | undefined)[] = [];
    for await (const chunk of corpus.chunks()) {
      texts.push(...chunk.texts);
      pairs.push(...(chunk.pairs ?? []));
      labels.push(...(chunk.golds ?? []));
    }
    return {
      texts,
      pairs: recognise.task === 'single' ? undefined : pairs,
      labels: labels.length === 0 ? undefined : labels,
    };
  } finally {
    await corpus.close();
  }
}
