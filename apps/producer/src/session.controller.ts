import { Body, Controller, Delete, Get, HttpCode, Inject, Optional, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from './api-errors.js';
import { callerOf, needs, SESSION_COOKIE } from './api-guard.js';
import type { Caller } from './api-keys.js';
import { ApiKeys } from './api-keys.js';
import { parsed } from './read-body.js';

const schema = z.strictObject({ key: z.string().min(1).max(1024) });
/** No script reads it, and no other site's page sends it. */
const ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Strict';

/** Browsers show a key once, and a session from then on. */
@ApiTags('session')
@Controller('v1/session')
export class SessionController {
  constructor(@Optional() @Inject(ApiKeys) private readonly keys: ApiKeys | null) {}

  @Post()
  @HttpCode(200)
  @needs('nothing')
  @ApiOperation({ summary: 'Begin a session of a browser with an API key' })
  begin(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Caller {
    const caller = this.keys?.callerOf(parsed(schema, body).key);
    if (this.keys === null || caller === undefined)
      throw new ApiError(401, 'no-key', 'This is no key of this producer.');
    const { value, maxAgeSeconds } = this.keys.newSession(caller);
    const secure = request.protocol === 'https' ? '; Secure' : '';
    void reply.header(
      'set-cookie',
      `${SESSION_COOKIE}=${value}; Max-Age=${maxAgeSeconds}; ${ATTRIBUTES}${secure}`,
    );
    return caller;
  }

  @Get()
  @needs('read')
  @ApiOperation({ summary: 'Who asks, and what that allows' })
  who(@Req() request: FastifyRequest): Caller {
    return callerOf(request);
  }

  @Delete()
  @HttpCode(204)
  @needs('nothing')
  @ApiOperation({ summary: 'End the session' })
  end(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.header('set-cookie', `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`);
  }
}
