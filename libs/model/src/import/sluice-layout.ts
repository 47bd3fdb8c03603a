import { join } from 'node:path';
import { loadTokenizerJson } from '#tokenizer/load-tokenizer.js';
import { Checkpoint } from '../checkpoint/checkpoint.js';
import { parseCheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { openWeights } from '../checkpoint/open-weights.js';
import type { ModelFiles } from './model-files.js';
import { readJson } from './read-json.js';

/** Opens a directory in Sluice's checkpoint layout; `undefined` where it is none. @throws CheckpointError, SafetensorsError */
export async function openSluiceLayout({
  path,
  directory,
  names,
}: ModelFiles): Promise<Checkpoint | undefined> {
  if (!names.includes('config.json')) return undefined;
  const config = await readJson(join(directory, 'config.json'));
  if (typeof config.json !== 'object' || config.json === null || !('sluice' in config.json)) return undefined;
  const parsed = parseCheckpointConfig(config.path, config.json);
  const tensors = await openWeights(directory);
  return Checkpoint.of({
    path,
    format: 'Sluice',
    config: parsed,
    configText: config.text,
    tensors,
    originOf: (name) => ({ names: [name, ...olderNames(name)] }),
    readTokenizer: () => loadTokenizerJson(directory),
    assumptions: [],
  });
}

/** Names that BERT's tensors have in older or bare checkpoints: LayerNorm's as gamma and beta, all without the prefix. */
export function olderNames(name: string): string[] {
  const older = name
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
  return [older, name, older].map((each, index) => (index === 0 ? each : each.replace(/^bert\./, '')));
}
