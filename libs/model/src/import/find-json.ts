import { join } from 'node:path';
import type { z } from 'zod';
import { readRegularFile } from '#pipeline/regular-file.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';
import type { ModelFiles } from './model-files.js';
import type { JsonFile } from './read-json.js';

/** More than a configuration has; vocabularies in JSON are passed over. */
const MOST_BYTES = 2 ** 20;

/**
 * The configuration of a directory that is known by what it holds, because its name is anybody's choice.
 * @returns `undefined` where there is none
 * @throws CheckpointError where there are several
 */
export async function findJson<Config>(
  { directory, names }: ModelFiles,
  schema: z.ZodType<Config>,
): Promise<(JsonFile & { readonly config: Config }) | undefined> {
  const found: (JsonFile & { readonly config: Config })[] = [];
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const path = join(directory, name);
    const text = await readRegularFile(path, MOST_BYTES).catch(() => '');
    const json = parsedOrUndefined(text);
    const parsed = schema.safeParse(json);
    if (parsed.success) found.push({ path, text, json, config: parsed.data });
  }
  if (found.length > 1) {
    throw new CheckpointError(
      directory,
      `${found.length} files could be the model's configuration: ${found.map(({ path }) => path).join(', ')}; leave one of them beside the weights.`,
    );
  }
  return found[0];
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
