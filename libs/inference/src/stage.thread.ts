/** A worker thread with a session of every stage that is its own: takes batches, answers with results, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import type { StageBatch, StageResult } from '#pipeline/ports.js';
import type { StageReply, StageRequest, StageThreadOptions } from './stage-messages.js';
import { buffersOf } from './stage-messages.js';
import { GraphLoadError } from './onnx-graph.js';
import { StageSession } from './stage-session.js';

if (parentPort === null) throw new Error('stage.thread is the entry of a worker thread.');
const port = parentPort;
const options: StageThreadOptions = workerData;

function reply(message: StageReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

const arraysOf = ({ exits, survivors }: StageResult) => [
  ...exits.flatMap(({ rows, probabilities, uncertainty }) => [rows, probabilities, uncertainty]),
  survivors.rows,
  survivors.hidden,
];

async function answer(sessions: readonly StageSession[], number: number, batch: StageBatch): Promise<void> {
  try {
    const session = sessions[batch.stage];
    if (session === undefined) throw new RangeError(`Stage ${batch.stage + 1} is not loaded.`);
    const result = await session.run(batch);
    reply({ kind: 'result', number, result }, buffersOf(arraysOf(result)));
  } catch (error) {
    reply({ kind: 'failed', number, message: error instanceof Error ? error.message : String(error) });
  }
}

/** By stage. */
async function openSessions(): Promise<StageSession[] | undefined> {
  const { files, layout, stages, sessionThreads: threads, provider } = options;
  const [first, last] = stages;
  const sessions: StageSession[] = [];
  for (const [index, stage] of layout.stages.entries()) {
    if (index < first || index > last) continue;
    const file = files[index] ?? `stage ${index + 1}`;
    try {
      sessions[index] = await StageSession.open(file, stage, layout.hiddenSize, { threads, provider });
    } catch (error) {
      const message = error instanceof GraphLoadError ? error.problem : String(error);
      reply({ kind: 'not-loaded', file, message });
      return undefined;
    }
  }
  return sessions;
}

const sessions = await openSessions();
if (sessions !== undefined) {
  let last = Promise.resolve();
  let closed = false;
  port.on('message', (request: StageRequest) => {
    if (request.kind === 'close') {
      closed = true;
      port.close();
      return;
    }
    const { number, batch } = request;
    last = last.then(() => (closed ? undefined : answer(sessions, number, batch)));
  });
  reply({ kind: 'ready' });
}
