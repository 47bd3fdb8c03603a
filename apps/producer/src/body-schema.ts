import type { ApiBodyOptions } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaOfBody = Extract<ApiBodyOptions, { schema: unknown }>['schema'];

/** A body for the OpenAPI page, as the schema that checks it has it. */
export function bodySchema(schema: z.ZodType): SchemaOfBody {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  const body: unknown = rest;
  return isSchema(body) ? body : {};
}

const isSchema = (value: unknown): value is SchemaOfBody => typeof value === 'object' && value !== null;
