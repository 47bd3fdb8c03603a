import type { PlannedChunk, SourceRange } from '#pipeline/ports.js';

import type { CorpusOptions } from './corpus-options.js';
import { expectGiven } from './expect-bytes.js';
import { openCorpus } from './open-corpus.js';
import { sealedBytes } from './spool-seal.js';

/**
 * Compares a corpus with what was labelled of it. Standard input that gives nothing is not compared.
 * @throws CorpusChangedError
 * @throws CorpusOpenError for what is no longer a corpus
 */
export async function expectPlanned(
  options: CorpusOptions,
  planned: AsyncIterable<PlannedChunk>,
): Promise<void> {
  const { stdin } = options;
  if (stdin !== undefined) {
    await expectGiven(stdin.stream, rangesOf(planned), await sealedBytes(stdin.spoolPath));
    return;
  }
  const corpus = await openCorpus(options);
  try {
    for await (const chunk of planned) await corpus.verify(chunk);
  } finally {
    await corpus.close();
  }
}

async function* rangesOf(planned: AsyncIterable<PlannedChunk>): AsyncGenerator<SourceRange> {
  for await (const { range } of planned) yield range;
}
