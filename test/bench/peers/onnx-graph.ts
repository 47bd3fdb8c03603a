import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peersFolder } from './peers-folder.js';
import { runPython } from './run-python.js';

/** What a graph is made by, beside the checkpoint. */
const makers = ['requirements.txt', 'exit_classifier.py', 'export_onnx.py'];

/**
 * The int8 graph that ONNX Runtime runs, made once.
 * @param checkpoint its folder
 * @param sha256 of its weights
 * @throws PythonFailedError
 */
export async function onnxGraph(
  python: string,
  checkpoint: string,
  sha256: string,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  const hash = createHash('sha256').update(sha256);
  for (const maker of makers) hash.update(await readFile(join(peersFolder, maker)));
  const path = join(cache, `peers-graph-${hash.digest('hex').slice(0, 12)}.onnx`);
  if (existsSync(path)) return path;
  say('… exporting the checkpoint for ONNX Runtime, fusing and quantising it');
  await runPython(python, [join(peersFolder, 'export_onnx.py'), checkpoint, path]);
  return path;
}
