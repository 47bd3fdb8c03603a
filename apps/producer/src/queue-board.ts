import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import type { TrainingQueue } from '#queue/training-queue.js';
import type { ModelShelf } from './model-shelf.js';
import type { StageQueues } from './stage-queues.js';

export const BOARD_PATH = '/queues';

/** A page of the queues, to look at only: whoever retries or removes a job by hand would break the protocol. */
export async function queueBoard(
  server: FastifyInstance,
  models: ModelShelf,
  queues: StageQueues,
  trainings: TrainingQueue,
): Promise<void> {
  const adapter = new FastifyAdapter();
  adapter.setBasePath(BOARD_PATH);
  const shown: BullMQAdapter[] = [];
  for (const name of await models.names()) {
    const bundle = await models.bundle(name).catch(() => undefined);
    for (const stage of bundle?.manifest.stages.keys() ?? []) {
      const description = `${name}, stage ${stage + 1}`;
      shown.push(new BullMQAdapter(queues.of(bundle!.hash, stage), { readOnlyMode: true, description }));
    }
  }
  shown.push(new BullMQAdapter(trainings.queue, { readOnlyMode: true, description: 'trainings' }));
  createBullBoard({ queues: shown, serverAdapter: adapter });
  await server.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
}
