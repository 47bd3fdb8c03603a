import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { needs } from './api-guard.js';
import { bodySchema } from './body-schema.js';
import type { Classified } from './classifier.js';
import { Classifier } from './classifier.js';
import { ModelDesk } from './model-desk.js';
import type { ModelView } from './model-desk.js';
import type { StageView } from './queue-gauges.js';
import { QueueGauges } from './queue-gauges.js';
import { parsed } from './read-body.js';
import { classifyRequestSchema } from '#run/run-request.js';

@ApiTags('models')
@ApiBearerAuth()
@Controller('v1')
export class ModelsController {
  constructor(
    @Inject(ModelDesk) private readonly models: ModelDesk,
    @Inject(Classifier) private readonly classifier: Classifier,
    @Inject(QueueGauges) private readonly gauges: QueueGauges,
  ) {}

  @Get('models')
  @needs('read')
  @ApiOperation({ summary: 'The bundles that runs may name, and the workers that serve them now' })
  async list(): Promise<{ models: ModelView[] }> {
    return { models: await this.models.list() };
  }

  @Get('stages')
  @needs('read')
  @ApiOperation({ summary: 'The stages of all bundles: what waits, who works, and how full batches are' })
  stages(): { stages: readonly StageView[] } {
    return { stages: this.gauges.stages };
  }

  @Post('classify')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Label a few texts at once, by the same workers as runs' })
  @ApiBody({ schema: bodySchema(classifyRequestSchema) })
  async classify(@Body() body: unknown): Promise<{ results: readonly Classified[] }> {
    return { results: await this.classifier.classify(parsed(classifyRequestSchema, body)) };
  }
}
