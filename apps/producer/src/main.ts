import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { loadSettings } from '#config/load-settings.js';
import { startService } from '#config/start-service.js';
import { startProducer } from './start-producer.js';

await startService('producer', async () => {
  const settings = loadSettings();
  const { level } = settings.log;
  const logger = new ConsoleLogger('producer', { json: true, logLevels: [level === 'info' ? 'log' : level] });
  const producer = await startProducer(settings, logger);
  logger.log(
    `API: ${producer.api}, its description: ${producer.api}/docs. Metrics and queues: ${producer.admin}`,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.log(`${signal}: stopping; the runs go on with the next producer.`);
      void producer.close().finally(() => process.exit());
    });
  }
});
