import type { ArgumentsHost, ExceptionFilter, LoggerService } from '@nestjs/common';
import { Catch, HttpException, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ApiError, apiErrorOf } from './api-errors.js';

export const LOG = Symbol('log');

/** Answers errors as `{"error": {"code", "message"}}`. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOG) private readonly log: LoggerService) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const known =
      error instanceof HttpException
        ? new ApiError(error.getStatus(), 'http', error.message)
        : apiErrorOf(error);
    if (known.status >= 500 && known.retryAfter === undefined) {
      this.log.error(error instanceof Error ? error.stack : String(error));
    }
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    if (known.retryAfter !== undefined) void reply.header('retry-after', known.retryAfter);
    // The route may have promised another type for its answer.
    void reply
      .type('application/json')
      .status(known.status)
      .send({ error: { code: known.code, message: known.message } });
  }
}
