import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { loadSettings } from '#config/load-settings.js';
import { startService } from '#config/start-service.js';
import { adminRoutes } from '#metrics/admin-routes.js';
import { Metrics } from '#metrics/metrics.js';
import { FleetWorker } from './fleet-worker.js';
import { WorkerModule } from './worker.module.js';

await startService('worker', async () => {
  const settings = loadSettings();
  const { level } = settings.log;
  const logger = new ConsoleLogger('worker', { json: true, logLevels: [level === 'info' ? 'log' : level] });
  const metrics = new Metrics([
    'stage_seconds',
    'stage_rows',
    'stage_batch_tokens',
    'rows_repeated_total',
    'jobs_total',
    'jobs_active',
    'worker_stuck_seconds',
    'worker_threads',
    'redis_up',
    'activation_bytes',
    'retries_total',
  ]);
  const worker = new FleetWorker(settings, metrics, logger);
  const adapter = new FastifyAdapter();
  const { host, port } = settings.worker.admin;
  adminRoutes(adapter.getInstance(), host, metrics, worker, () => worker.refresh());
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: WorkerModule, providers: [{ provide: FleetWorker, useValue: worker }] },
    adapter,
    { logger: level === 'debug' ? logger : false },
  );
  app.enableShutdownHooks();
  await app.listen(port, host);
  logger.log(`Health and metrics: ${await app.getUrl()}`);
  await worker.start();
});
