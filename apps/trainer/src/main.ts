import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { loadSettings } from '#config/load-settings.js';
import { startService } from '#config/start-service.js';
import { adminRoutes } from '#metrics/admin-routes.js';
import { Metrics } from '#metrics/metrics.js';
import { FleetTrainer } from './fleet-trainer.js';
import { TrainerModule } from './trainer.module.js';

await startService('trainer', async () => {
  const settings = loadSettings();
  const { level } = settings.log;
  const logger = new ConsoleLogger('trainer', { json: true, logLevels: [level === 'info' ? 'log' : level] });
  const metrics = new Metrics([
    'training_loss',
    'training_rate',
    'training_share',
    'training_steps_total',
    'training_rows_total',
    'jobs_total',
    'jobs_active',
  ]);
  const trainer = new FleetTrainer(settings, metrics, logger);
  const adapter = new FastifyAdapter();
  const { host, port } = settings.trainer.admin;
  adminRoutes(adapter.getInstance(), host, metrics, trainer, () => trainer.refresh());
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: TrainerModule, providers: [{ provide: FleetTrainer, useValue: trainer }] },
    adapter,
    { logger: level === 'debug' ? logger : false },
  );
  app.enableShutdownHooks();
  await app.listen(port, host);
  logger.log(`Health and metrics: ${await app.getUrl()}`);
  await trainer.start();
});
