import { openCorpus } from '#corpus/open-corpus.js';
import type { SampleTexts } from '#model/compile/sample-texts.js';
import type { CorpusFields } from './corpus-fields.js';

/** The first rows of a corpus; rows that cannot be read are passed over. @throws CorpusOpenError */
export async function readSample(path: string, fields: CorpusFields, rows: number): Promise<SampleTexts> {
  const corpus = await openCorpus({ ...fields, paths: [path], limit: rows });
  try {
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
      pairs: fields.pairField === undefined ? undefined : pairs,
      labels: fields.labelField === undefined ? undefined : labels,
    };
  } finally {
    await corpus.close();
  }
}
