import { join } from 'node:path';
import { loadTokenizerJson } from '#tokenizer/load-tokenizer.js';
import { ruleOfTokenizer } from '#tokenizer/special-tokens.js';
import type { TensorOrigin } from '../checkpoint/checkpoint.js';
import { Checkpoint } from '../checkpoint/checkpoint.js';
import { checkConfig } from '../checkpoint/checkpoint-config.js';
import { openWeights, openWeightsFile } from '../checkpoint/open-weights.js';
import type { HuggingFaceModel } from './huggingface-config.js';
import { parseHuggingFaceConfig } from './huggingface-config.js';
import { encoderNames, familyOfTensors } from './huggingface-families.js';
import type { ModelFiles } from './model-files.js';
import type { JsonFile } from './read-json.js';
import { readJson } from './read-json.js';

/**
 * Opens a directory of Hugging Face's transformers; `undefined` where it is none.
 * @throws CheckpointError, SafetensorsError, TorchFileError, TokenizerFileError
 */
export async function openHuggingFace(files: ModelFiles): Promise<Checkpoint | undefined> {
  const { path, directory, names, weights } = files;
  if (!names.includes('config.json')) return undefined;
  const file = await readJson(join(directory, 'config.json'));
  const tokenizerFile = await readTokenizerConfig(files);
  const tokenizer = await loadTokenizerJson(directory);
  const tensors = await (weights === undefined
    ? openWeights(directory)
    : openWeightsFile(join(directory, weights)));
  try {
    const model = parseHuggingFaceConfig(file.path, file.json, {
      familyOfTensors: () => familyOfTensors(tensors),
      hasHead: ({ head }) => tensors.shape(`${head.logits}.weight`) !== undefined,
      tokenizerConfig: tokenizerFile?.json,
      specialTokens: ruleOfTokenizer(tokenizer),
    });
    checkConfig(file.path, model.config);
    return await Checkpoint.of({
      path,
      format: `Hugging Face ${model.family.title}`,
      config: model.config,
      configText: `${file.text}\n${tokenizerFile?.text ?? ''}`,
      tensors,
      originOf: (name) => originOf(name, model),
      readTokenizer: () => Promise.resolve(tokenizer),
      assumptions: [],
    });
  } catch (error) {
    await tensors.close();
    throw error;
  }
}

async function readTokenizerConfig({ directory, names }: ModelFiles): Promise<JsonFile | undefined> {
  const name = 'tokenizer_config.json';
  return names.includes(name) ? readJson(join(directory, name)) : undefined;
}

function originOf(
  name: string,
  { family, firstPosition, segmentRows, hasTasks }: HuggingFaceModel,
): TensorOrigin {
  const [, part = '', kind = ''] = /^exits\.\d+\.(\w+)\.(\w+)$/.exec(name) ?? [];
  if (part === 'logits') return { names: [`${family.head.logits}.${kind}`] };
  if (part === 'pooler') return { names: family.head.pooler.map((each) => `${each}.${kind}`) };
  const own = name.replace(/^bert\./, '');
  const names = encoderNames(family, own);
  switch (own) {
    case 'embeddings.position_embeddings.weight':
      return {
        names,
        firstRow: firstPosition,
        plusFirstRowOf: hasTasks ? encoderNames(family, 'embeddings.task_type_embeddings.weight') : undefined,
      };
    case 'embeddings.token_type_embeddings.weight':
      return { names, rows: segmentRows };
    default:
      return { names };
  }
}
