/** A worker that labels nothing: `redis bundle`. What it takes is what the queue takes. */
import { emptyLabels } from '#pipeline/label-columns.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { StageWorker } from '#queue/stage-worker.js';

const [url = '', bundle = ''] = process.argv.slice(2);
const redis = connectRedis({ url });
const results = new RedisResultStore(redis);
const options = {
  bundle,
  stages: [0],
  fingerprint: 'stub',
  jobs: 8,
  lockMs: 30_000,
  dropUnwanted: () => Promise.resolve(false),
};
void new StageWorker(
  redis,
  async (job) => {
    const labels = emptyLabels(job.rows.length, 2);
    await results.put(
      job,
      { rows: job.rows, labels, lengths: job.rows, truncated: new Uint8Array(job.rows.length), rejected: [] },
      job.chunkRows,
    );
  },
  options,
);
process.stdout.write('ready\n');
