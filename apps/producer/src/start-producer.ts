import fastifyMultipart from '@fastify/multipart';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import fastify from 'fastify';
import type { Settings } from '#config/settings-schema.js';
import { adminRoutes } from '#metrics/admin-routes.js';
import { isLoopback } from '#metrics/loopback-only.js';
import { Metrics } from '#metrics/metrics.js';
import { connectRedis, connectRedisToAsk, expectQueueRedis, tellOutages } from '#queue/redis-connection.js';
import { redisPlaces } from '#queue/redis-places.js';
import { TrainingQueue } from '#queue/training-queue.js';
import { TrainingFolders } from '#training/job/training-folders.js';
import { ApiKeys, readKeys } from './api-keys.js';
import { keepAwaited } from './awaited-answers.js';
import { Classifier } from './classifier.js';
import { closeRefused } from './close-refused.js';
import { FleetLink } from './fleet-link.js';
import { ModelDesk } from './model-desk.js';
import { ModelShelf } from './model-shelf.js';
import { ProducerModule } from './producer.module.js';
import { queueBoard } from './queue-board.js';
import { QueueGauges } from './queue-gauges.js';
import { QueuePressure } from './queue-pressure.js';
import { refuseForeignPages } from './foreign-pages.js';
import { refuseStrangers } from './refuse-strangers.js';
import { limitRequests } from './request-limits.js';
import { RunDesk } from './run-desk.js';
import { RunFeeder } from './run-feeder.js';
import { RunFolders } from './run-folder.js';
import { sessionSecret } from './session-secret.js';
import { StageQueues } from './stage-queues.js';
import { TrainingDesk } from './training-desk.js';
import { TrainingFeeder } from './training-feeder.js';
import { webPage } from './web-page.js';

/** Between two looks at the queues. */
const GAUGE_MS = 2000;
const SWEEP_MS = 60 * 60 * 1000;
/** Of one upload. */
const MOST_FILES = 10_000;
/** A connection on which nothing goes on for so long is closed: it would keep others from being answered. */
const SILENT_MS = 60_000;

/** A producer that stops answers what it was asked for so long. */
const CLOSE_WITHIN_MS = 2000;

/** The API would be open to everyone who reaches it. */
export class OpenApiError extends Error {
  override readonly name = 'OpenApiError';
}

export interface RunningProducer {
  readonly api: string;
  readonly admin: string;
  close(): Promise<void>;
}

/**
 * Starts a producer: its API, its admin server, and its work on runs.
 * @throws OpenApiError, KeysFileError, RedisUnfitError
 */
export async function startProducer(settings: Settings, log: LoggerService): Promise<RunningProducer> {
  const { producer, redis: redisSettings, models: modelSettings, training } = settings;
  expectClosed(producer);
  const storedKeys = producer.keysFile === null ? null : readKeys(producer.keysFile);
  const closing: (() => unknown)[] = [];
  let isStopping = false;
  const close = async (): Promise<void> => {
    isStopping = true;
    for (const each of closing.toReversed()) await each();
    closing.length = 0;
  };
  try {
    const metrics = new Metrics([
      'rows_total',
      'exit_total',
      'exit_expected_total',
      'uncertainty',
      'runs',
      'runs_ended_total',
      'chunks_in_flight',
      'requests_total',
      'request_seconds',
      'queue_jobs',
      'oldest_job_seconds',
      'backlog_seconds',
      'workers',
      'redis_up',
      'redis_used_ratio',
      'retries_total',
      'trainings',
    ]);
    const folders = new RunFolders(producer.runsRoot);
    await folders.open();
    const keys = storedKeys && new ApiKeys(storedKeys, await sessionSecret(producer.runsRoot));
    const place = redisPlaces(redisSettings).queue;
    const redis = { feeding: connectRedis(place), asking: connectRedisToAsk(place) };
    tellOutages(redis.feeding, (message) => log.warn(`Redis: ${message}`));
    // Of the same Redis: one connection tells of it.
    redis.asking.on('error', () => undefined);
    for (const connection of Object.values(redis)) closing.push(() => connection.disconnect());
    await expectQueueRedis(redis.feeding);
    const pressure = await QueuePressure.open(redis.asking, producer.feed.redisUsedRatio);
    closing.push(() => pressure.close());
    const fleet = new FleetLink(redis, pressure, producer, metrics, log);
    const models = new ModelShelf(modelSettings.root);
    const feeder = new RunFeeder({ folders, models, fleet, settings: producer, metrics, log });
    const desk = new RunDesk({ folders, models, feeder, fleet, settings: producer });
    const sweep = (): Promise<void> => desk.sweep().catch((error: unknown) => log.warn(String(error)));
    void sweep();
    const sweeping = setInterval(() => void sweep(), SWEEP_MS);
    closing.push(() => clearInterval(sweeping));
    const classifier = new Classifier(fleet, models, producer.limits);
    closing.push(() => classifier.close());
    const queues = new StageQueues(redis.asking);
    closing.push(() => queues.close());

    const trainingQueue = new TrainingQueue(redis.asking);
    closing.push(() => trainingQueue.close());
    const trainingFolders = new TrainingFolders(training.root);
    await trainingFolders.open();
    const everyMs = producer.feed.reconcileSeconds * 1000;
    const trainingFeeder = new TrainingFeeder(trainingFolders, trainingQueue, metrics, everyMs);
    const trainings = new TrainingDesk({ folders: trainingFolders, queue: trainingQueue, models, settings });

    const gauges = new QueueGauges({ fleet, models, feeder, classifier, queues, metrics });
    const admin = fastify();
    closing.push(() => admin.close());
    const health = {
      problem: () => undefined,
      notReady: () => {
        if (isStopping) return 'stopping';
        return pressure.ratio === undefined ? 'Redis does not answer' : undefined;
      },
    };
    // Not as they are asked for: that takes a dozen answers of Redis, and a busy producer waits for each.
    const gauging = setInterval(
      () => void gauges.refresh().catch((error: unknown) => log.warn(String(error))),
      GAUGE_MS,
    );
    closing.push(() => clearInterval(gauging));
    adminRoutes(admin, producer.admin.host, metrics, health, () => {
      metrics.set('runs', { state: 'active' }, feeder.active);
      metrics.set('chunks_in_flight', {}, feeder.chunksInFlight);
      return Promise.resolve();
    });
    await queueBoard(admin, () => gauges.stages, queues, trainingQueue);
    const adminUrl = await admin.listen(producer.admin);

    const parts = { desk, trainings, models: new ModelDesk(models, fleet), classifier, gauges, keys, log };
    const app = await openApi(parts, producer, metrics);
    closing.push(() => closeWithin(app, CLOSE_WITHIN_MS));
    await app.listen(producer.api.port, producer.api.host);
    // The last to begin and the first to end: what they feed is for the next producer then.
    closing.push(() => trainingFeeder.close());
    trainingFeeder.start();
    closing.push(() => feeder.close());
    feeder.start();
    return { api: await app.getUrl(), admin: adminUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lets requests be answered, but for those that go on longer, such as streams of events and uploads. */
async function closeWithin(app: NestFastifyApplication, ms: number): Promise<void> {
  const timer = setTimeout(() => app.getHttpServer().closeAllConnections(), ms);
  await app.close();
  clearTimeout(timer);
}

/** @throws OpenApiError */
function expectClosed({ keysFile, api }: Settings['producer']): void {
  if (keysFile !== null || isLoopback(api.host)) return;
  throw new OpenApiError(
    `The API would listen at ${api.host} and let everyone in. Make keys with sluice key, and name their file with ` +
      'SLUICE_PRODUCER_KEYS_FILE; or listen at 127.0.0.1.',
  );
}

async function openApi(
  parts: Parameters<typeof ProducerModule.of>[0],
  { limits }: Settings['producer'],
  metrics: Metrics,
): Promise<NestFastifyApplication> {
  // A body of JSON that would change objects for all is refused by Fastify itself.
  const adapter = new FastifyAdapter({ bodyLimit: limits.bodyBytes, connectionTimeout: SILENT_MS });
  closeRefused(adapter.getInstance());
  keepAwaited(adapter.getInstance(), SILENT_MS);
  limitRequests(adapter.getInstance(), limits, metrics);
  refuseForeignPages(adapter.getInstance(), parts.keys !== null);
  if (parts.keys !== null) refuseStrangers(adapter.getInstance(), parts.keys);
  const app = await NestFactory.create<NestFastifyApplication>(ProducerModule.of(parts), adapter, {
    logger: false,
  });
  const page = await webPage();
  if (page === undefined) parts.log.warn('The web page is not built (npm run build), so there is none.');
  else await app.register(page);
  await app.register(fastifyMultipart, {
    // Files are counted as they are stored: busboy would read one that is too long to its end.
    limits: {
      fileSize: Infinity,
      files: MOST_FILES,
      fields: 1,
      parts: MOST_FILES + 1,
      fieldSize: limits.bodyBytes,
    },
  });
  const config = new DocumentBuilder()
    .setTitle('Sluice')
    .setDescription('Bulk text classification with early-exit BERT.')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config));
  await app.init();
  return app;
}
