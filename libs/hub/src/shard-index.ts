import { z } from 'zod';
import { ShardIndexError } from './download-errors.js';
import { shownName } from './file-name.js';

const schema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The files that an index of sharded weights (`{"weight_map": {"tensor": "file", …}}`) names, each once.
 * @param listed the names of the repository's files
 * @throws ShardIndexError
 */
export function shardsOf(
  repository: string,
  file: string,
  text: string,
  listed: readonly string[],
): string[] {
  const names = new Set(Object.values(weightMap(repository, file, text)));
  const there = new Set(listed);
  for (const name of names) {
    if (!there.has(name)) {
      throw new ShardIndexError(
        repository,
        file,
        `names ${shownName(name)}, which is not there: its owner has to upload it.`,
      );
    }
  }
  return [...names].sort();
}

function weightMap(repository: string, file: string, text: string): Record<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ShardIndexError(repository, file, 'is not JSON.');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data.weight_map;
  throw new ShardIndexError(repository, file, 'has no weight_map from tensors to files.');
}
