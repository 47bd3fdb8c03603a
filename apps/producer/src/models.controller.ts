import { createReadStream } from 'node:fs';
import { Body, Controller, Get, HttpCode, Inject, Param, ParseIntPipe, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { needs } from './api-guard.js';
import { bodySchema } from './body-schema.js';
import type { Classified } from './classifier.js';
import { Classifier } from './classifier.js';
import { ModelDesk } from './model-desk.js';
import type { ModelView, VersionExtra } from './model-desk.js';
import type { StageView } from './queue-gauges.js';
import { QueueGauges } from './queue-gauges.js';
import { parsed } from './read-body.js';
import { classifyRequestSchema } from '#run/run-request.js';

const promoteSchema = z.strictObject({
  version: z.int().nonnegative().describe('Of the model, which runs take from now on.'),
});

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

  @Get('models/:name')
  @needs('read')
  @ApiOperation({ summary: 'One model, with its versions' })
  view(@Param('name') name: string): Promise<ModelView> {
    return this.models.view(name);
  }

  @Post('models/:name/promote')
  @HttpCode(200)
  @needs('admin')
  @ApiOperation({
    summary: 'Make a version the one that runs take; runs that are under way keep theirs',
  })
  @ApiBody({ schema: bodySchema(promoteSchema) })
  promote(@Param('name') name: string, @Body() body: unknown): Promise<ModelView> {
    return this.models.promote(name, parsed(promoteSchema, body).version);
  }

  @Post('models/:name/roll-back')
  @HttpCode(200)
  @needs('admin')
  @ApiOperation({ summary: 'Make the version that was promoted before the one that runs take' })
  rollBack(@Param('name') name: string): Promise<ModelView> {
    return this.models.rollBack(name);
  }

  @Get('models/:name/versions/:version/card')
  @needs('read')
  @ApiOperation({ summary: 'The model card of a version, as Markdown' })
  card(
    @Param('name') name: string,
    @Param('version', ParseIntPipe) version: number,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#send(name, version, 'card', reply);
  }

  @Get('models/:name/versions/:version/evaluation')
  @needs('read')
  @ApiOperation({ summary: 'What sluice evaluate found of a version, as JSON' })
  evaluation(
    @Param('name') name: string,
    @Param('version', ParseIntPipe) version: number,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#send(name, version, 'evaluation', reply);
  }

  @Post('classify')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Label a few texts at once, by the same workers as runs' })
  @ApiBody({ schema: bodySchema(classifyRequestSchema) })
  async classify(
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ results: readonly Classified[] }> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return { results: await this.classifier.classify(parsed(classifyRequestSchema, body), gone.signal) };
  }

  async #send(name: string, version: number, what: VersionExtra, reply: FastifyReply): Promise<void> {
    const { path, type } = await this.models.extra(name, version, what);
    await reply.type(type).send(createReadStream(path));
  }
}
