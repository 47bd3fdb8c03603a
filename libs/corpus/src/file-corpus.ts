import type { Corpus } from '#pipeline/ports.js';

import type { Convention } from './convention.js';
import type { RecordFields } from './row-columns.js';

/**
 * The rows of one file, or of several as one corpus.
 *
 * As one of several, its `chunks(after)` may be told a chunk of an earlier file: then it reads from its first row, and
 * numbers chunks and rows on from there.
 */
export interface FileCorpus extends Corpus {
  /** What its records are; the writer needs it. */
  readonly fields: RecordFields;
  /** How it is read, where nobody said it. */
  readonly convention: Convention;
}
