import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const mebibytes = z
  .int()
  .min(1)
  .max(1 << 20);
const seconds = z.number().positive();
const path = z.string().min(1);

/** Of a server: loopback unless told, so that nothing is reachable from elsewhere by accident. */
const address = (what: string): z.ZodObject<{ host: z.ZodString; port: z.ZodInt }> =>
  z.strictObject({
    host: z.string().min(1).describe(`Address at which ${what} listens; 0.0.0.0 for all.`),
    port: port.describe(`Port of ${what}; 0 for a free one.`),
  });

const redisSchema = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'expected redis://host:port or rediss://host:port')
    .describe('The Redis of the queues. It must not evict keys. rediss:// is TLS.'),
  activationsUrl: z
    .string()
    .regex(/^rediss?:\/\//, 'expected redis://host:port or rediss://host:port')
    .nullable()
    .describe(
      'The Redis of the activations between stages, which may evict keys; the queues’ own where it is null.',
    ),
  username: z.string().nullable().describe('ACL user of both, where the URL names none.'),
  password: z.string().nullable().describe('Its password.'),
  cluster: z.boolean().describe('Whether both are clusters; the URLs name any of their nodes.'),
  tls: z
    .strictObject({
      ca: path.nullable().describe('File of the certificates that the server’s is checked with.'),
      certificate: path.nullable().describe('File of the client’s certificate.'),
      key: path.nullable().describe('File of its key.'),
    })
    .describe('For rediss://.'),
});

const workerSchema = z.strictObject({
  bundle: path.describe(
    'Bundle that the worker serves: its directory, or that of a model, whose promoted version is taken at the start.',
  ),
  stages: z
    .string()
    .regex(/^(all|\d+|\d+-\d+)$/, 'expected all, a stage such as 1, or stages such as 2-3')
    .describe('Stages of the bundle that the worker serves, from 1: `all`, `1`, or `2-3`.'),
  device: z.enum(['cpu', 'cuda']).describe('Where the graphs run.'),
  threads: z.int().min(1).max(256).describe('Inference threads, each with the stages in memory of its own.'),
  tokenizerThreads: z.int().min(1).max(64).describe('Tokenizer threads.'),
  jobs: z
    .int()
    .min(1)
    .max(1024)
    .describe(
      'Jobs of the first stage that are worked on side by side, and eight times as many of each later one: more of them fill batches better.',
    ),
  batchTokens: z
    .int()
    .min(1)
    .max(1 << 20)
    .describe('The most tokens of a batch.'),
  waitMs: z
    .int()
    .min(0)
    .max(60_000)
    .describe(
      'How long rows from other workers wait for more of their length, while batches are not full and more may come, ms.',
    ),
  survivorMemory: mebibytes.describe('Bound of the activations between stages that both run here, MiB.'),
  dedupeMemory: z
    .int()
    .min(0)
    .max(4096)
    .describe(
      'Bound of the texts that are remembered, so that the same tokens are computed once, MiB; twice that while runs of different policies take turns. 0 remembers none.',
    ),
  activationMemory: mebibytes.describe(
    'Bound of the activations on their way to other workers, and of those that have come from them, MiB each.',
  ),
  blobMemory: z
    .int()
    .min(1)
    .max(256)
    .describe('The most activations that travel as one, MiB, if all rows survive.'),
  lockSeconds: seconds.describe('After which a job of a worker that is gone comes back.'),
  wedgedSeconds: seconds.describe('After which a worker that has jobs, and ends none, counts as dead.'),
  drainSeconds: seconds.describe(
    'How long a worker that is told to stop works on at what it has; then its jobs go to others.',
  ),
  trialSeconds: seconds.describe('After which suspect rows, labelled by themselves, count as stuck.'),
  admin: address('the worker’s health and metrics'),
});

const producerSchema = z.strictObject({
  runsRoot: path.describe('Folder of the run directories. It must outlive the producer.'),
  inputRoot: path
    .nullable()
    .describe(
      'Folder below which a request may name files of the producer’s machine; none where it is null.',
    ),
  keysFile: path
    .nullable()
    .describe(
      'File of hashed API keys, written by `sluice key`. Without it only loopback may be listened at.',
    ),
  api: address('the API'),
  admin: address('the producer’s metrics and the queue board'),
  feed: z.strictObject({
    chunkRows: z
      .int()
      .min(1)
      .max(1 << 20)
      .describe('Rows of a chunk, of a run that does not say.'),
    chunksInFlight: z.int().min(1).max(65_536).describe('Chunks of one run between reading and commit.'),
    bytesInFlight: mebibytes.describe('Rows of one run between reading and commit, and their texts, MiB.'),
    redisUsedRatio: z
      .number()
      .min(0.05)
      .max(0.95)
      .describe(
        'Share of Redis’ maxmemory above which no chunk is given out. Below 0.7, up to which rows leave activations, where they are in the same Redis.',
      ),
    reconcileSeconds: seconds.describe('How often a chunk whose jobs are lost is looked for.'),
    attempts: z
      .int()
      .min(1)
      .max(1000)
      .describe('How often a chunk may come to nothing before its run fails.'),
  }),
  limits: z.strictObject({
    uploadBytes: z.int().min(1).describe('Of an uploaded corpus.'),
    bodyBytes: z.int().min(1).describe('Of any other request.'),
    rows: z.int().min(1).describe('Of a run.'),
    classifyTexts: z.int().min(1).describe('Of a request that is answered at once.'),
    classifyActive: z
      .int()
      .min(1)
      .describe(
        'Such requests that wait for the workers at the same time; others are told to come back, and runs go on.',
      ),
    runsActive: z
      .int()
      .min(1)
      .describe('Runs of this producer that are worked on at the same time; others wait.'),
    runsKept: z.int().min(1).describe('Runs whose directories are kept; a further one is refused.'),
    trainingsKept: z.int().min(1).describe('Trainings whose folders are kept; a further one is refused.'),
    requestsActive: z
      .int()
      .min(1)
      .describe('Requests that are answered at the same time; others are told to come back.'),
    streamsActive: z
      .int()
      .min(1)
      .describe('Streams of events that are open at the same time, beside those requests.'),
  }),
  retentionDays: z.number().positive().describe('After which a finished run is deleted.'),
  fingerprint: z
    .string()
    .nullable()
    .describe('Runtime whose labels a new run takes; null for that of the workers that there are.'),
});

const trainerSchema = z.strictObject({
  backend: z
    .enum(['auto', 'node-gpu', 'node', 'wasm', 'cpu'])
    .describe('What training computes with; auto: the fastest that loads.'),
  attempts: z
    .int()
    .min(1)
    .max(1000)
    .describe('Trainers that may die with a step of a training before it fails.'),
  lockSeconds: seconds.describe('After which a training of a trainer that is gone goes on with another.'),
  wedgedSeconds: seconds.describe(
    'After which a trainer that has a training, and hears nothing of it, counts as dead.',
  ),
  drainSeconds: seconds.describe(
    'How long a trainer that is told to stop waits for the checkpoint with which another goes on.',
  ),
  admin: address('the trainer’s health and metrics'),
});

/** Every setting of the services. Defaults are in config/default.yaml, and nowhere else. */
export const settingsSchema = z.strictObject({
  redis: redisSchema,
  models: z.strictObject({
    root: path.describe('Folder of the models that runs may name, and that trainings add versions to.'),
  }),
  training: z.strictObject({
    root: path.describe('Folder of the trainings, which producers and trainers share.'),
    checkpoints: path.describe('Folder of the checkpoints that trainings may begin with.'),
  }),
  worker: workerSchema,
  trainer: trainerSchema,
  producer: producerSchema,
  log: z.strictObject({
    level: z
      .enum(['error', 'warn', 'info', 'debug'])
      .describe('The least urgent of what is logged, as JSON lines.'),
  }),
});

export type Settings = z.infer<typeof settingsSchema>;
