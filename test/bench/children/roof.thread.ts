/** A thread with one session of a roof graph: loads it, checks it, waits, and takes batches until none is left. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openGraph } from '#inference/onnx-graph.js';
import type { RoofKind, RoofMatmul, RoofShape } from './roof-graph.js';
import { cornerOf, roofInput } from './roof-graph.js';

export interface RoofThreadOptions {
  readonly kind: RoofKind;
  readonly shape: RoofShape;
  readonly model: Uint8Array;
  readonly matmuls: readonly RoofMatmul[];
  /** Tokens of each batch, `[batches]`. */
  readonly batchTokens: Int32Array;
  /** The next batch to take, `[1]`; shared by all threads. */
  readonly next: Int32Array;
}

/** Sent when the graph is loaded and its numbers are right, and again when no batch is left. */
export interface RoofThreadReply {
  /** Batches that the thread ran. */
  readonly batches: number;
}

if (parentPort === null) throw new Error('roof.thread is the entry of a worker thread.');
const port = parentPort;
const { kind, shape, model, matmuls, batchTokens, next }: RoofThreadOptions = workerData;

const graph = await openGraph(model);
const most = batchTokens.reduce((a, b) => Math.max(a, b), 0);
const [narrow, wide] = [shape.hiddenSize, shape.intermediateSize].map((width) => ({
  width,
  numbers: roofInput(kind, most * width),
}));
if (narrow === undefined || wide === undefined) throw new RangeError('A roof graph has two inputs.');

async function run(tokens: number): Promise<Float32Array> {
  const tensor = ({ width, numbers }: { width: number; numbers: Float32Array | Uint8Array }) => ({
    dims: [tokens, width],
    data: numbers.subarray(0, tokens * width),
  });
  const { corners } = await graph.run({ narrow: tensor(narrow!), wide: tensor(wide!) });
  if (corners?.data instanceof Float32Array) return corners.data;
  throw new TypeError('Expected the roof graph to give float32 corners.');
}

/** @throws Error when a matmul of the largest batch did not give what JavaScript computes */
async function check(): Promise<void> {
  const corners = await run(most);
  for (const [index, matmul] of matmuls.entries()) {
    const { width, numbers } = matmul.input === 'narrow' ? narrow! : wide!;
    const expected = cornerOf(kind, matmul, numbers.subarray((most - 1) * width, most * width));
    const error = Math.abs(corners[index]! - expected);
    if (!(error <= 1e-3 * Math.max(1, Math.abs(expected)))) {
      throw new Error(
        `Matmul ${index + 1} of the ${kind} roof gave ${corners[index]}, expected ${expected}.`,
      );
    }
  }
}

await check();
const ready: RoofThreadReply = { batches: 0 };
port.postMessage(ready);
await once(port, 'message');
let batches = 0;
for (let at = Atomics.add(next, 0, 1); at < batchTokens.length; at = Atomics.add(next, 0, 1)) {
  await run(batchTokens[at]!);
  batches += 1;
}
const done: RoofThreadReply = { batches };
port.postMessage(done);
port.close();
await graph.release();
