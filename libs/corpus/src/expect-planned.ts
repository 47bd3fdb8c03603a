import type { PlannedChunk, SourceRange } from '#pipeline/ports.js';

import type { CorpusOptions } from './corpus-options.js';
import { expectGiven, following } from './expect-bytes.js';
import type { GunzipLimits } from './gunzip-reader.js';
import { GunzipReader } from './gunzip-reader.js';
import { isGzip } from './gzip-source.js';
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
    const sealed = await sealedBytes(stdin.spoolPath);
    await expectGiven(stdin.stream, rangesOf(planned), sealed, (blocks) => contentOf(blocks, options));
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

/** The bytes, or what comes out of them where they are compressed. */
async function* contentOf(blocks: AsyncIterable<Buffer>, limits: GunzipLimits): AsyncGenerator<Buffer> {
  const rest = blocks[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < 2) {
    const next = await rest.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = following(start, rest);
  if (!isGzip(start)) {
    yield* whole;
    return;
  }
  const reader = new GunzipReader('standard input', whole, limits);
  try {
    for (let block = await reader.next(); block !== undefined; block = await reader.next()) yield block;
  } finally {
    reader.close();
  }
}
