/** Models of other programs whose weights lie, or would have code run. */
import { cp, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { legacyFile, pickle, pickledDictionary, pickledTensor, torchArchive } from '../torch-archive.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

const fixtures = join(import.meta.dirname, '../fixtures/huggingface-families');

/** A model of the fixtures, `change`d, to be imported. */
function modelCase(
  name: string,
  model: string,
  says: RegExp,
  change: (folder: string) => Promise<void>,
): HostileCase {
  return {
    name,
    make: async (folder) => {
      await cp(join(fixtures, model), join(folder, 'model'), { recursive: true });
      await change(join(folder, 'model'));
    },
    steps: [{ args: ['import', 'model', '--out', 'checkpoint'], exit: 1, says }],
  };
}

const torchCase = (name: string, says: RegExp, bytes: Uint8Array): HostileCase =>
  modelCase(name, 'distilbert', says, (folder) => writeFile(join(folder, 'pytorch_model.bin'), bytes));

const runs = (module: string, callee: string): Buffer =>
  Buffer.concat([
    pickle.proto(),
    pickle.global(module, callee),
    pickle.mark,
    pickle.text('touch owned'),
    pickle.tuple,
    pickle.reduce,
    pickle.stop,
  ]);

const view = { storage: '0', elements: 4, offset: 0, shape: [4], strides: [1] };
const sixteen = new Uint8Array(16);
const one = pickledDictionary({ w: pickledTensor(view) });
const oneLegacy = pickledDictionary({ w: pickledTensor(view, 'legacy') });

async function cutShort(path: string, share: number): Promise<void> {
  const { size } = await stat(path);
  await truncate(path, Math.floor(size * share));
}

async function changeIndex(folder: string, change: (map: Record<string, string>) => void): Promise<void> {
  const path = join(folder, 'model.safetensors.index.json');
  const index: { weight_map: Record<string, string> } = JSON.parse(await readFile(path, 'utf8'));
  change(index.weight_map);
  await writeFile(path, JSON.stringify(index));
}

async function changeJson(path: string, changes: object): Promise<void> {
  const json: object = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...json, ...changes }));
}

const torch: HostileCase[] = [
  torchCase(
    'a pickle that would run a command',
    /asks for "posix\.system", which no weights need; nothing of it was executed/,
    torchArchive(runs('posix', 'system'), {}),
  ),
  torchCase(
    'the same in the legacy container',
    /asks for "builtins\.exec"/,
    legacyFile(runs('builtins', 'exec'), []),
  ),
  torchCase('a pickle that loads another', /asks for "torch\.load"/, torchArchive(runs('torch', 'load'), {})),
  torchCase(
    'a tensor beyond its storage',
    /tensor 'w' \(shape \[4\], strides \[1\], from element 1 on\) reaches beyond the 4 elements/,
    torchArchive(pickledDictionary({ w: pickledTensor({ ...view, offset: 1 }) }), { 0: sixteen }),
  ),
  torchCase(
    'a storage of 4 GB in a file of 16 bytes',
    /storage "0" of tensor 'w' needs 4294967296 bytes; the file has 16 of it/,
    torchArchive(pickledDictionary({ w: pickledTensor({ ...view, elements: 2 ** 30 }) }), { 0: sixteen }),
  ),
  torchCase('a storage that is missing', /its storage "0" is missing/, torchArchive(one, {})),
  torchCase(
    'a storage of 2⁶³ elements',
    /its storage "0" claims 36893488147419103000 bytes/,
    legacyFile(oneLegacy, [{ key: '0', elements: 2 ** 63, content: sixteen }]),
  ),
  torchCase(
    'four numbers as a tensor of 4 TB',
    /is \[1048576, 1048576\]; the model's configuration asks for \[70, 16\]/,
    torchArchive(
      pickledDictionary({
        'distilbert.embeddings.word_embeddings.weight': pickledTensor({
          ...view,
          shape: [2 ** 20, 2 ** 20],
          strides: [0, 0],
        }),
      }),
      { 0: sixteen },
    ),
  ),
  torchCase(
    'three million nested lists',
    /its pickle makes over 500000 objects/,
    torchArchive(Buffer.concat([pickle.proto(), Buffer.alloc(3_000_000, ']')]), {}),
  ),
  modelCase(
    'a zip archive that was cut short',
    'distilbert-bare',
    /the directory at the end of its zip archive is missing/,
    (folder) => cutShort(join(folder, 'pytorch_model.bin'), 0.9),
  ),
  modelCase(
    'a legacy file that was cut short',
    'distilbert',
    /its storage "\d+" claims \d+ bytes from \d+ on; the file has/,
    (folder) => cutShort(join(folder, 'pytorch_model.bin'), 0.9),
  ),
  torchCase(
    'a pointer of Git LFS in the place of the weights',
    /is a pointer of Git LFS/,
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
  ),
  torchCase('no weights at all', /neither a safetensors file nor one of torch/, Buffer.alloc(0)),
];

const shards: HostileCase[] = [
  modelCase(
    'a shard that is missing',
    'bert-silu',
    /names the file model-00002-of-00003\.safetensors, which is missing/,
    (folder) => rm(join(folder, 'model-00002-of-00003.safetensors')),
  ),
  modelCase(
    'a shard that was cut short',
    'bert-silu',
    /model-00003-of-00003\.safetensors: tensor '.*' .* needs \d+ bytes inside the file's/,
    (folder) => cutShort(join(folder, 'model-00003-of-00003.safetensors'), 0.9),
  ),
  modelCase(
    'a shard elsewhere',
    'bert-silu',
    /names the file "\.\.\/\.\.\/etc\/passwd"; only files beside it are read/,
    (folder) => changeIndex(folder, (map) => Object.assign(map, { 'classifier.bias': '../../etc/passwd' })),
  ),
  modelCase(
    'a tensor that its shard has not',
    'bert-silu',
    /tensor 'classifier\.bias' is said to be in model-0000\d-of-00003\.safetensors, which does not have it/,
    (folder) =>
      changeIndex(folder, (map) => {
        const shard = map['classifier.bias']!;
        map['classifier.bias'] = shard.replace(/0000\d/, (number) =>
          number === '00001' ? '00002' : '00001',
        );
      }),
  ),
  modelCase(
    'a tensor that the index forgets',
    'bert-silu',
    /tensor 'classifier\.bias' is missing/,
    (folder) => changeIndex(folder, (map) => void delete map['classifier.bias']),
  ),
  modelCase(
    'an index that is a folder',
    'bert-silu',
    /model\.safetensors\.index\.json: cannot be read: it is a folder/,
    async (folder) => {
      await rm(join(folder, 'model.safetensors.index.json'));
      await mkdir(join(folder, 'model.safetensors.index.json'));
    },
  ),
];

const sizes: HostileCase[] = [
  modelCase('a vocabulary larger than the embeddings', 'electra', /do not belong together/, (folder) =>
    changeJson(join(folder, 'tokenizer.json'), {
      added_tokens: [{ id: 5000, content: '[NEW]', special: true }],
    }),
  ),
  modelCase('a config of another vocabulary', 'electra', /asks for \[30522, 8\]/, (folder) =>
    changeJson(join(folder, 'config.json'), { vocab_size: 30_522 }),
  ),
  modelCase(
    'a config of more layers than there are',
    'electra',
    /encoder\.layer\.2\.attention\.self\.query\.weight' is missing/,
    (folder) => changeJson(join(folder, 'config.json'), { num_hidden_layers: 3 }),
  ),
  modelCase('a config of another family', 'electra', /is missing/, (folder) =>
    changeJson(join(folder, 'config.json'), { model_type: 'roberta' }),
  ),
  modelCase('an activation that is unknown', 'electra', /hidden_act/, (folder) =>
    changeJson(join(folder, 'config.json'), { hidden_act: 'mish' }),
  ),
  modelCase('a family that cannot be read', 'electra', /deberta/, (folder) =>
    changeJson(join(folder, 'config.json'), { model_type: 'deberta-v2' }),
  ),
];

export const hostileWeights: HostileSection[] = [
  { title: 'Models of other programs: files of torch', cases: torch },
  { title: 'Models of other programs: shards', cases: shards },
  { title: 'Models of other programs: files that do not belong together', cases: sizes },
];
