// For the types that it adds to requests.
import '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { ApiError } from './api-errors.js';
import type { Upload } from './run-desk.js';
import type { RunRequest } from '#run/run-request.js';
import { runRequestSchema } from '#run/run-request.js';

/** @throws ApiError that says what is wrong */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ApiError(400, 'bad-request', `The request is not as expected: ${schemaProblem(result.error)}`);
}

/** Options of an upload are JSON in a field of this name, before the files. */
const OPTIONS = 'options';

interface RunBody {
  readonly request: RunRequest;
  readonly uploads: AsyncIterable<Upload>;
}

async function* nothing(): AsyncGenerator<Upload> {}

/**
 * What a run is asked to do, and its files: JSON alone, or a form of `options` and files, which are read as they come.
 * @throws ApiError for a body that is neither
 */
export async function readRunBody(request: FastifyRequest): Promise<RunBody> {
  if (!request.isMultipart()) return { request: parsed(runRequestSchema, request.body), uploads: nothing() };
  const parts = request.parts();
  const first = await parts.next();
  if (first.done === true || first.value.type !== 'field' || first.value.fieldname !== OPTIONS) {
    throw new ApiError(400, 'bad-request', `Expected the field ${OPTIONS}, as JSON, before the files.`);
  }
  return { request: parsed(runRequestSchema, jsonOf(first.value.value)), uploads: filesOf(parts) };
}

/** @param value text, unless the form says that it is JSON: then it is read already */
function jsonOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new ApiError(400, 'bad-request', `Expected JSON in the field ${OPTIONS}.`);
  }
}

type Parts = ReturnType<FastifyRequest['parts']>;

async function* filesOf(parts: Parts): AsyncGenerator<Upload> {
  for await (const part of parts) {
    if (part.type !== 'file') {
      throw new ApiError(
        400,
        'bad-request',
        `Expected files behind ${OPTIONS}; got the field ${part.fieldname}.`,
      );
    }
    yield { name: part.filename, stream: part.file, isCut: () => part.file.truncated };
  }
}
