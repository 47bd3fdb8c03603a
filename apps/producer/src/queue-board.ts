import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import type { TrainingQueue } from '#queue/training-queue.js';
import type { StageView } from './queue-gauges.js';
import type { StageQueues } from './stage-queues.js';

export const BOARD_PATH = '/queues';

/**
 * A page of the queues, to look at only: whoever retries or removes a job by hand would break the protocol.
 * @param stages those whose queues are shown, asked for at every request
 */
export async function queueBoard(
  server: FastifyInstance,
  stages: () => readonly StageView[],
  queues: StageQueues,
  trainings: TrainingQueue,
): Promise<void> {
  const adapter = new FastifyAdapter();
  adapter.setBasePath(BOARD_PATH);
  const ofTrainings = new BullMQAdapter(trainings.queue, { readOnlyMode: true, description: 'trainings' });
  const board = createBullBoard({ queues: [ofTrainings], serverAdapter: adapter });
  await server.register(
    async (scope) => {
      scope.addHook('onRequest', async () => {
        const ofStages = stages().flatMap(({ model, bundle, stage }) =>
          queues.of(bundle, stage - 1).map((queue, index) => {
            const description = `${model}, stage ${stage}${index === 0 ? '' : ', texts that somebody waits for'}`;
            return new BullMQAdapter(queue, { readOnlyMode: true, description });
          }),
        );
        board.replaceQueues([...ofStages, ofTrainings]);
      });
      await scope.register(adapter.registerPlugin());
    },
    { prefix: BOARD_PATH },
  );
}
