// For the types that it adds to requests.
import '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { ApiError } from './api-errors.js';
import type { Upload } from './store-uploads.js';

/** @throws ApiError that says what is wrong */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ApiError(400, 'bad-request', `The request is not as expected: ${schemaProblem(result.error)}`);
}

/** Options of an upload are JSON in a field of this name, before the files. */
const OPTIONS = 'options';

interface UploadBody<Request> {
  readonly request: Request;
  readonly uploads: AsyncIterable<Upload>;
}

async function* nothing(): AsyncGenerator<Upload> {}

/**
 * What is asked for, and its files: JSON alone, or a form of `options` and files, which are read as they come.
 * @throws ApiError for a body that is neither
 */
export async function readUploadBody<Schema extends z.ZodType>(
  schema: Schema,
  request: FastifyRequest,
): Promise<UploadBody<z.output<Schema>>> {
  if (!request.isMultipart()) return { request: parsed(schema, request.body), uploads: nothing() };
  const parts = readable(request.parts());
  const first = await parts.next();
  if (first.done === true || first.value.type !== 'field' || first.value.fieldname !== OPTIONS) {
    throw new ApiError(400, 'bad-request', `Expected the field ${OPTIONS}, as JSON, before the files.`);
  }
  return { request: parsed(schema, jsonOf(first.value.value)), uploads: filesOf(parts) };
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

/** @throws ApiError where the form is cut off, or none */
async function* readable(parts: Parts): Parts {
  try {
    yield* parts;
  } catch (error) {
    // Those with a status say themselves what is wrong.
    if (!(error instanceof Error) || 'statusCode' in error) throw error;
    throw new ApiError(400, 'bad-request', `The form cannot be read: ${error.message}`);
  }
}

async function* filesOf(parts: Parts): AsyncGenerator<Upload> {
  for await (const part of parts) {
    if (part.type !== 'file') {
      throw new ApiError(
        400,
        'bad-request',
        `Expected files behind ${OPTIONS}; got the field ${part.fieldname}.`,
      );
    }
    yield { name: part.filename, stream: part.file };
  }
}
