import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf, needs } from './api-guard.js';
import { bodySchema } from './body-schema.js';
import { sendRange } from './send-range.js';
import { parsed, readUploadBody } from './read-body.js';
import { RunDesk } from './run-desk.js';
import { runRequestSchema } from '#run/run-request.js';
import type { RunView } from '#run/run-view.js';
import { isUnderWay } from '#run/run-view.js';
import type { UncertainRow } from '#run/uncertain-row.js';
import { sendViewEvents } from './view-events.js';

const limitSchema = z.coerce.number().int().min(1).default(Infinity);
const contentTypes: Readonly<Record<string, string>> = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  gz: 'application/gzip',
};

@ApiTags('runs')
@ApiBearerAuth()
@Controller('v1/runs')
export class RunsController {
  constructor(@Inject(RunDesk) private readonly desk: RunDesk) {}

  @Post()
  @needs('submit')
  @ApiOperation({
    summary: 'Submit a run',
    description:
      'As JSON, with rows or a path; or as multipart/form-data: the field options with that JSON first, then the files of the corpus.',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ schema: bodySchema(runRequestSchema) })
  async submit(@Req() request: FastifyRequest): Promise<RunView> {
    const body = await readUploadBody(runRequestSchema, request);
    return this.desk.submit(body.request, body.uploads, callerOf(request));
  }

  @Get()
  @needs('read')
  @ApiOperation({ summary: 'Runs, the latest first, and how many there are' })
  @ApiQuery({ name: 'limit', required: false, description: 'No more than so many; all unless given.' })
  list(@Query('limit') limit?: string): Promise<{ readonly runs: RunView[]; readonly total: number }> {
    return this.desk.list(parsed(limitSchema, limit));
  }

  @Get(':id')
  @needs('read')
  @ApiOperation({ summary: 'One run: where it stands, and its report once it is finished' })
  view(@Param('id') id: string): Promise<RunView> {
    return this.desk.view(id);
  }

  @Get(':id/events')
  @needs('read')
  @ApiOperation({ summary: 'One run as it goes on, as server-sent events; they end with the run' })
  events(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return sendViewEvents(request, reply, () => this.desk.view(id), isUnderWay);
  }

  @Get(':id/output')
  @needs('read')
  @ApiOperation({
    summary: 'The labelled rows of a finished run, in the order of the corpus; ranges are answered',
  })
  async output(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { folder, name } = await this.desk.output(id);
    await sendFile(request, reply, join(folder, name), `${id}.${name.replace('output.', '')}`);
  }

  @Get(':id/rejects')
  @needs('read')
  @ApiOperation({ summary: 'Rows of a finished run that could not be labelled, and why, as JSON lines' })
  async rejects(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { folder, name } = await this.desk.rejects(id);
    await sendFile(request, reply, join(folder, name), `${id}.rejects.jsonl`);
  }

  @Get(':id/least-certain')
  @needs('read')
  @ApiOperation({ summary: 'The rows that the model was least certain of, so far or of the whole run' })
  async leastCertain(@Param('id') id: string): Promise<{ rows: readonly UncertainRow[] }> {
    return { rows: await this.desk.leastCertain(id) };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Stop a run; what is done is kept' })
  cancel(@Param('id') id: string, @Req() request: FastifyRequest): Promise<RunView> {
    return this.desk.cancel(id, callerOf(request));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @needs('submit')
  @ApiOperation({ summary: 'Go on with a run that was cancelled or failed, where it was' })
  resume(@Param('id') id: string, @Req() request: FastifyRequest): Promise<RunView> {
    return this.desk.resume(id, callerOf(request));
  }

  @Delete(':id')
  @HttpCode(204)
  @needs('submit')
  @ApiOperation({ summary: 'Delete a run that is over, with its corpus and its output' })
  delete(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    return this.desk.delete(id, callerOf(request));
  }
}

function sendFile(request: FastifyRequest, reply: FastifyReply, path: string, name: string): Promise<void> {
  const type = contentTypes[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  return sendRange(request, reply, { path, name, type, open: createReadStream });
}
