import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { FleetWorker } from './fleet-worker.js';

/** What the module is made of; `main.ts` makes it. */
@Module({})
export class WorkerModule implements BeforeApplicationShutdown {
  constructor(@Inject(FleetWorker) private readonly worker: FleetWorker) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }
}
