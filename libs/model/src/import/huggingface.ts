import { join } from 'node:path';
import { loadTokenizerJson } from '#tokenizer/load-tokenizer.js';
import type { TensorOrigin } from '../checkpoint/checkpoint.js';
import { Checkpoint } from '../checkpoint/checkpoint.js';
import { checkConfig } from '../checkpoint/checkpoint-config.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { parseHuggingFaceConfig } from './huggingface-config.js';
import type { ModelFiles } from './model-files.js';
import { readJson } from './read-json.js';
import { olderNames } from './sluice-layout.js';

/** Opens a directory of Hugging Face's transformers; `undefined` where it is none. @throws CheckpointError, SafetensorsError */
export async function openHuggingFace({
  path,
  directory,
  names,
}: ModelFiles): Promise<Checkpoint | undefined> {
  if (!names.includes('config.json')) return undefined;
  const file = await readJson(join(directory, 'config.json'));
  const config = parseHuggingFaceConfig(file.path, file.json);
  checkConfig(file.path, config);
  const tensors = await openWeights(directory);
  return Checkpoint.of({
    path,
    format: 'Hugging Face BERT',
    config,
    configText: file.text,
    tensors,
    originOf,
    readTokenizer: () => loadTokenizerJson(directory),
    assumptions: [],
  });
}

function originOf(name: string): TensorOrigin {
  const [, part] = /^exits\.\d+\.(.*)$/.exec(name) ?? [];
  if (part === undefined) return { names: [name, ...olderNames(name)] };
  if (part.startsWith('logits')) return { names: [part.replace('logits', 'classifier')] };
  const pooler = part.replace('pooler', 'pooler.dense');
  return { names: [`bert.${pooler}`, pooler] };
}
