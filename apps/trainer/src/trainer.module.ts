import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { FleetTrainer } from './fleet-trainer.js';

/** What the module is made of; `main.ts` makes it. */
@Module({})
export class TrainerModule implements BeforeApplicationShutdown {
  constructor(@Inject(FleetTrainer) private readonly trainer: FleetTrainer) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.trainer.stop();
  }
}
