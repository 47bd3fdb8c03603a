import { Controller, DefaultValuePipe, Delete, Get, Header, HttpCode, Inject, Param } from '@nestjs/common';
import { ParseIntPipe, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { trainingRequestSchema } from '#training/job/training-steps.js';
import type { TrainingView } from '#training/job/training-view.js';
import { isTrainingUnderWay } from '#training/job/training-view.js';
import { callerOf, needs } from './api-guard.js';
import { bodySchema } from './body-schema.js';
import { readUploadBody } from './read-body.js';
import { TrainingDesk } from './training-desk.js';
import { sendViewEvents } from './view-events.js';

@ApiTags('training')
@ApiBearerAuth()
@Controller('v1/training')
export class TrainingsController {
  constructor(@Inject(TrainingDesk) private readonly desk: TrainingDesk) {}

  @Post()
  @needs('submit')
  @ApiOperation({
    summary: 'Submit a training: steps that train, distil, compile and evaluate',
    description:
      'As JSON, with files below the input folder; or as multipart/form-data: the field options with that JSON first, then files, which the steps name.',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ schema: bodySchema(trainingRequestSchema) })
  async submit(@Req() request: FastifyRequest): Promise<TrainingView> {
    const body = await readUploadBody(trainingRequestSchema, request);
    return this.desk.submit(body.request, body.uploads, callerOf(request));
  }

  @Get()
  @needs('read')
  @ApiOperation({ summary: 'All trainings, the latest first' })
  async list(): Promise<{ trainings: TrainingView[] }> {
    return { trainings: await this.desk.list() };
  }

  @Get(':id')
  @needs('read')
  @ApiOperation({ summary: 'One training: where it stands, and its steps' })
  view(@Param('id') id: string): Promise<TrainingView> {
    return this.desk.view(id);
  }

  @Get(':id/events')
  @needs('read')
  @ApiOperation({ summary: 'One training as it goes on, as server-sent events; they end with it' })
  events(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return sendViewEvents(request, reply, () => this.desk.view(id), isTrainingUnderWay);
  }

  @Get(':id/log')
  @needs('read')
  @Header('content-type', 'application/x-ndjson')
  @ApiOperation({ summary: 'What a step has logged so far: steps and epochs as JSON lines' })
  log(
    @Param('id') id: string,
    @Query('step', new DefaultValuePipe(0), ParseIntPipe) step: number,
  ): Promise<string> {
    return this.desk.log(id, step);
  }

  @Get(':id/curves')
  @needs('read')
  @Header('content-type', 'image/svg+xml')
  @ApiOperation({ summary: 'Loss, and accuracy of each exit, of a step so far, as SVG' })
  curves(
    @Param('id') id: string,
    @Query('step', new DefaultValuePipe(0), ParseIntPipe) step: number,
  ): Promise<string> {
    return this.desk.curves(id, step);
  }

  @Get(':id/evaluation')
  @needs('read')
  @Header('content-type', 'application/json')
  @ApiOperation({ summary: 'What a step that evaluates has found, as sluice evaluate --json prints it' })
  evaluation(
    @Param('id') id: string,
    @Query('step', new DefaultValuePipe(0), ParseIntPipe) step: number,
  ): Promise<string> {
    return this.desk.evaluation(id, step);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Stop a training; its checkpoint is kept' })
  cancel(@Param('id') id: string, @Req() request: FastifyRequest): Promise<TrainingView> {
    return this.desk.cancel(id, callerOf(request));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Go on with a training that was cancelled or failed, from its last checkpoint' })
  resume(@Param('id') id: string, @Req() request: FastifyRequest): Promise<TrainingView> {
    return this.desk.resume(id, callerOf(request));
  }

  @Delete(':id')
  @HttpCode(204)
  @needs('submit')
  @ApiOperation({ summary: 'Delete a training that is over; the versions that it registered stay' })
  delete(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    return this.desk.delete(id, callerOf(request));
  }
}
