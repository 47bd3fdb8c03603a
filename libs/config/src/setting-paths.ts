import { z } from 'zod';
import { settingsSchema } from './settings-schema.js';

/** One setting. */
export interface Setting {
  /** Such as `worker.admin.port`. */
  readonly path: string;
  readonly keys: readonly string[];
  /** Such as `SLUICE_WORKER_ADMIN_PORT`. */
  readonly variable: string;
  readonly description: string;
  readonly schema: z.ZodType;
}

/** Names of their own, for what is set most often. */
const shortNames = new Map([['worker.stages', 'SLUICE_STAGES']]);

function variableOf(keys: readonly string[]): string {
  const snake = keys.map((key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return shortNames.get(keys.join('.')) ?? `SLUICE_${snake.join('_')}`;
}

function* settingsOf(schema: z.ZodType, keys: readonly string[]): Generator<Setting> {
  if (schema instanceof z.ZodObject) {
    for (const [key, inner] of Object.entries<z.ZodType>(schema.shape))
      yield* settingsOf(inner, [...keys, key]);
    return;
  }
  const description = schema.description ?? '';
  yield { path: keys.join('.'), keys, variable: variableOf(keys), description, schema };
}

/** Every setting, in the order of the schema. */
export const allSettings: readonly Setting[] = [...settingsOf(settingsSchema, [])];
