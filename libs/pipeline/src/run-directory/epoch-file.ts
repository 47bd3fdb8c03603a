import { writeDurably } from './durable-write.js';
import { readJson } from './read-json.js';
import { hasShape } from './stored-shape.js';

/** Numbers that one session may give out; the session's own stands above them. */
const EPOCHS_OF_SESSION = 2 ** 32;

interface EpochFile {
  /** Of the session that wrote it, from 1. */
  readonly session: number;
}

const isEpochFile = (value: unknown): value is EpochFile => hasShape(value, { session: 'number' });

/**
 * Numbers that grow over all sessions of a run, whatever else is lost, to tell the attempts at a chunk apart. Nothing is
 * written for each: a session writes its own number when it begins.
 */
export async function openEpochs(folder: string, name: string): Promise<() => number> {
  const stored = await readJson(folder, name, isEpochFile);
  const session = (stored?.session ?? 0) + 1;
  await writeDurably(`${folder}/${name}`, `${JSON.stringify({ session } satisfies EpochFile)}\n`);
  let epoch = session * EPOCHS_OF_SESSION;
  return () => (epoch += 1);
}
