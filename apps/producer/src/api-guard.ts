import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Inject, Injectable, Optional, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './api-errors.js';
import type { Caller, Scope } from './api-keys.js';
import { allows, ApiKeys } from './api-keys.js';

const NEEDED = 'sluice:scope';
export const SESSION_COOKIE = 'sluice_session';

/** The scope that a route needs; one that says nothing needs `admin`. */
export const needs = (scope: Scope | 'nothing') => SetMetadata(NEEDED, scope);

/** Who a request is from, once the guard let it in. */
const callers = new WeakMap<object, Caller>();

/** Without keys everyone may do everything: the API listens on loopback alone then. */
const anyone: Caller = { id: 'anyone', scope: 'admin' };

export function callerOf(request: FastifyRequest): Caller {
  return callers.get(request) ?? { id: 'nobody', scope: 'read' };
}

/** Lets in who has a key, or a session that was begun with one. */
@Injectable()
export class ApiGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Optional() @Inject(ApiKeys) private readonly keys: ApiKeys | null,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const needed =
      this.reflector.getAllAndOverride<Scope | 'nothing' | undefined>(NEEDED, targets) ?? 'admin';
    if (needed === 'nothing') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = this.keys === null ? anyone : identify(this.keys, request);
    if (caller === undefined) throw noKey(request);
    if (!allows(caller.scope, needed)) {
      throw new ApiError(
        403,
        'scope',
        `This needs a key of scope ${needed}; ${caller.id} has ${caller.scope}.`,
      );
    }
    callers.set(request, caller);
    return true;
  }
}

/** The answer to who has no key, or one that is not known. */
export function noKey({ headers }: FastifyRequest): ApiError {
  const why =
    headers.authorization === undefined
      ? 'Expected an API key: Authorization: Bearer <key>. sluice key makes one.'
      : 'This producer does not know the API key of the Authorization header.';
  return new ApiError(401, 'no-key', why);
}

/** Who has sent a request, by its key or its session. */
export function identify(keys: ApiKeys, { headers }: FastifyRequest): Caller | undefined {
  const key = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (key !== undefined) return keys.callerOf(key);
  const cookie = (headers.cookie ?? '').split(/; */).find((each) => each.startsWith(`${SESSION_COOKIE}=`));
  return cookie === undefined ? undefined : keys.callerOfSession(cookie.slice(SESSION_COOKIE.length + 1));
}
