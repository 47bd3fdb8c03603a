import type { CorpusFormat } from '#corpus/corpus-options.js';
import { openCorpus } from '#corpus/open-corpus.js';
import type { SampleTexts } from '#model/compile/sample-texts.js';

export interface SampleFields {
  readonly format?: CorpusFormat | undefined;
  readonly header?: boolean | undefined;
  readonly quotes?: boolean | undefined;
  readonly textField?: string | undefined;
  readonly pairField?: string | undefined;
  readonly labelField?: string | undefined;
}

/** The first rows of a corpus; rows that cannot be read are passed over. @throws CorpusOpenError */
export async function readSample(path: string, fields: SampleFields, rows: number): Promise<SampleTexts> {
  const corpus = await openCorpus({ ...fields, path, limit: rows });
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
