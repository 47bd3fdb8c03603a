import type { DynamicModule, LoggerService } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ApiErrorFilter, LOG } from './api-error.filter.js';
import { ApiGuard } from './api-guard.js';
import { ApiKeys } from './api-keys.js';
import { Classifier } from './classifier.js';
import { ModelDesk } from './model-desk.js';
import { ModelsController } from './models.controller.js';
import { QueueGauges } from './queue-gauges.js';
import { RunDesk } from './run-desk.js';
import { RunsController } from './runs.controller.js';
import { SessionController } from './session.controller.js';
import { TrainingDesk } from './training-desk.js';
import { TrainingsController } from './trainings.controller.js';

/** The API. */
@Module({})
export class ProducerModule {
  static of(parts: {
    readonly desk: RunDesk;
    readonly models: ModelDesk;
    readonly trainings: TrainingDesk;
    readonly classifier: Classifier;
    readonly gauges: QueueGauges;
    readonly keys: ApiKeys | null;
    readonly log: LoggerService;
  }): DynamicModule {
    return {
      module: ProducerModule,
      controllers: [RunsController, TrainingsController, ModelsController, SessionController],
      providers: [
        { provide: RunDesk, useValue: parts.desk },
        { provide: ModelDesk, useValue: parts.models },
        { provide: TrainingDesk, useValue: parts.trainings },
        { provide: Classifier, useValue: parts.classifier },
        { provide: QueueGauges, useValue: parts.gauges },
        { provide: ApiKeys, useValue: parts.keys },
        { provide: LOG, useValue: parts.log },
        { provide: APP_GUARD, useClass: ApiGuard },
        { provide: APP_FILTER, useClass: ApiErrorFilter },
      ],
    };
  }
}
