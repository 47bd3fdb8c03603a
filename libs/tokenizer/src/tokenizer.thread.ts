import { parentPort, workerData } from 'node:worker_threads';

import type { TokenColumns } from '#pipeline/columns.js';

import { TextTokenizer } from './text-tokenizer.js';
import { failureOf } from './tokenizer-failure.js';
import type { TokenizeRequest, TokenizerReply, TokenizerThreadOptions } from './tokenizer-messages.js';

if (parentPort === null) throw new Error('tokenizer.thread is the entry of a worker thread.');
const port = parentPort;

function reply(message: TokenizerReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** What moves instead of being copied. */
function buffers({ ids, segments, offsets, truncated }: TokenColumns): ArrayBuffer[] {
  const columns = segments ? [ids, segments, offsets, truncated] : [ids, offsets, truncated];
  return columns.map((column) => column.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

try {
  const options: TokenizerThreadOptions = workerData;
  const tokenizer = await TextTokenizer.load(options.directory, options);
  port.on('message', ({ texts, pairs }: TokenizeRequest) => {
    try {
      const tokens = tokenizer.tokenize(texts, pairs);
      reply({ kind: 'tokens', tokens }, buffers(tokens));
    } catch (error) {
      reply({ kind: 'failed', failure: failureOf(error) });
    }
  });
  reply({ kind: 'ready' });
} catch (error) {
  reply({ kind: 'failed', failure: failureOf(error) });
}
