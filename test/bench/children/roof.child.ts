/** Times the matmuls of a model's layers, and nothing else, on the batches of a run at full depth. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerOnce } from './answer-once.js';
import { roofGraph } from './roof-graph.js';
import type { RoofThreadOptions, RoofThreadReply } from './roof.thread.js';
import { timed } from './timed.js';

await answerOnce<'roof.child.js'>(async ({ kind, shape, batches, workers }) => {
  const { model, matmuls } = roofGraph(kind, shape);
  const options: RoofThreadOptions = {
    kind,
    shape,
    model,
    matmuls,
    batchTokens: Int32Array.from(batches, ({ rows, length }) => rows * length),
    next: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  };
  const threads = Array.from(
    { length: workers },
    () => new Worker(new URL('roof.thread.js', import.meta.url), { workerData: options, execArgv: [] }),
  );
  await Promise.all(threads.map(reply));
  const { result, ...times } = await timed(() =>
    Promise.all(
      threads.map((thread) => {
        thread.postMessage('go', []);
        return reply(thread);
      }),
    ),
  );
  const ran = result.reduce((sum, { batches }) => sum + batches, 0);
  if (ran !== batches.length) throw new Error(`The roof must run ${batches.length} batches; it ran ${ran}.`);
  return times;
});

/** Rejects with what the thread throws. */
async function reply(thread: Worker): Promise<RoofThreadReply> {
  const messages = await once(thread, 'message');
  return messages[0];
}
