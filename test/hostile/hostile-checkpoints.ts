import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointShape, configJson, vocabularySize, writeRandomCheckpoint } from '../random-checkpoint.js';
import type { StoredTensor } from '../safetensors-file.js';
import { float32Tensor, withHeader } from '../safetensors-file.js';
import type { HostileCase, HostileSection } from './hostile-case.js';

const shape = checkpointShape({ layers: 1 });
const norm = 'bert.encoder.layer.0.output.LayerNorm.weight';
const file = (folder: string, name: string): string => join(folder, 'checkpoint', name);

/** A sound checkpoint, `change`d, to be compiled. */
function checkpointCase(
  name: string,
  says: RegExp,
  change: (folder: string) => Promise<void>,
  tensors?: (tensors: Map<string, StoredTensor>) => void,
  exit: 0 | 1 | 2 = 1,
): HostileCase {
  return {
    name,
    make: async (folder) => {
      await writeRandomCheckpoint(join(folder, 'checkpoint'), shape, tensors);
      await change(folder);
    },
    steps: [{ args: ['compile', 'checkpoint', '--out', 'bundle'], exit, says }],
  };
}

const tensorCase = (
  name: string,
  says: RegExp,
  change: (tensors: Map<string, StoredTensor>) => void,
): HostileCase => checkpointCase(name, says, async () => {}, change);

function configCase(name: string, says: RegExp, changes: object, section: object = {}): HostileCase {
  return checkpointCase(name, says, async (folder) => {
    const config = configJson(shape);
    const lying = { ...config, ...changes, sluice: { ...Object(config['sluice']), ...section } };
    await writeFile(file(folder, 'config.json'), JSON.stringify(lying));
  });
}

const weightsCase = (name: string, says: RegExp, bytes: Uint8Array): HostileCase =>
  checkpointCase(name, says, (folder) => writeFile(file(folder, 'model.safetensors'), bytes));

const entry = (dims: readonly number[], start: number, end: number): object => ({
  dtype: 'F32',
  shape: dims,
  data_offsets: [start, end],
});
const lie = (header: object, bytes = 8): Buffer =>
  withHeader(JSON.stringify(header), [new Uint8Array(bytes)]);
const claiming = (bytes: bigint): Buffer => {
  const prefix = Buffer.alloc(64);
  prefix.writeBigUInt64LE(bytes);
  return prefix;
};

async function changeTokenizer(folder: string, change: (json: object) => unknown): Promise<void> {
  const vocabulary = (await readFile(file(folder, 'vocab.txt'), 'utf8')).split('\n').slice(0, -1);
  const json = {
    normalizer: { type: 'BertNormalizer' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])) },
  };
  await writeFile(file(folder, 'tokenizer.json'), JSON.stringify(change(json)));
}

const tokenizerCase = (
  name: string,
  says: RegExp,
  change: (json: object) => unknown,
  exit: 0 | 1 | 2 = 1,
): HostileCase => checkpointCase(name, says, (folder) => changeTokenizer(folder, change), undefined, exit);

const tensors: HostileCase[] = [
  tensorCase('a tensor missing', /LayerNorm\.weight' is missing/, (all) => all.delete(norm)),
  tensorCase('a tensor of another shape', /is \[16\]; the model's configuration asks for \[32\]/, (all) =>
    all.set(norm, float32Tensor([16], new Float32Array(16))),
  ),
  tensorCase('NaN among the weights', /holds NaN at position 7/, (all) =>
    all.set(norm, float32Tensor([32], new Float32Array(32).fill(NaN, 7))),
  ),
  tensorCase('infinity among the weights', /holds Infinity at position 0/, (all) =>
    all.set(norm, float32Tensor([32], new Float32Array(32).fill(Infinity))),
  ),
  tensorCase('weights that are integers', /is I64; weights must be/, (all) =>
    all.set(norm, { dtype: 'I64', shape: [32], bytes: new Uint8Array(256) }),
  ),
  tensorCase('weights of 10³⁸, whose products overflow', /gives probabilities that are no numbers/, (all) => {
    for (const [name, { shape, bytes }] of all)
      all.set(name, float32Tensor(shape, new Float32Array(bytes.length / 4).fill(1e38)));
  }),
];

const header: HostileCase[] = [
  weightsCase('an empty file', /0 bytes, shorter than/, new Uint8Array(0)),
  weightsCase('a header of 1 GB', /header claims 1000000000 bytes/, claiming(1_000_000_000n)),
  weightsCase('a header of 2⁶³ bytes', /header claims 9223372036854775808 bytes/, claiming(2n ** 63n)),
  weightsCase('a header that is no JSON', /header is not JSON/, withHeader('{"a":', [])),
  weightsCase(
    'a tensor beyond the end of the file',
    /needs 4 bytes inside the file's 8/,
    lie({ w: entry([1], 8, 12) }),
  ),
  weightsCase(
    'tensors that overlap',
    /overlaps the tensor before it/,
    lie({ a: entry([2], 0, 8), b: entry([1], 4, 8) }),
  ),
  weightsCase('bytes that no tensor has', /belong to no tensor/, lie({ a: entry([1], 0, 4) })),
  weightsCase('offsets below zero', /described wrongly/, lie({ a: entry([1], -4, 0) })),
  weightsCase(
    'a shape whose product overflows',
    /needs .* bytes/,
    lie({ a: entry([2 ** 52, 2 ** 52], 0, 8) }),
  ),
  weightsCase(
    'one name twice',
    /belong to no tensor/,
    withHeader(`{"a":${JSON.stringify(entry([1], 0, 4))},"a":${JSON.stringify(entry([1], 4, 8))}}`, [
      new Uint8Array(8),
    ]),
  ),
  weightsCase(
    'a tensor __proto__, and metadata that are no texts',
    /is missing/,
    withHeader(`{"__metadata__":[1],"__proto__":${JSON.stringify(entry([2], 0, 8))}}`, [new Uint8Array(8)]),
  ),
  checkpointCase('a file that was cut short', /inside the file's|header claims/, (folder) =>
    truncate(file(folder, 'model.safetensors'), 50_000),
  ),
];

const config: HostileCase[] = [
  configCase('10⁹ layers', /num_hidden_layers/, { num_hidden_layers: 1e9 }),
  configCase('a width of 10¹⁵', /the model's configuration asks for/, { hidden_size: 1e15 }),
  configCase('a width that the heads do not divide', /cannot be divided into 5 attention heads/, {
    num_attention_heads: 5,
  }),
  configCase('a label twice', /a label is listed twice/, {}, { labels: ['a', 'b', 'a'] }),
  configCase('an unknown kind of exit', /kind/, {}, { exits: [{ layer: 1, kind: 'mlp' }] }),
  configCase(
    'texts longer than the positions',
    /maxLength is 513, but the model has 130 positions/,
    {},
    { maxLength: 513 },
  ),
  configCase('a vocabulary of another size', /the model's configuration asks for \[7, 32\]/, {
    vocab_size: 7,
  }),
  checkpointCase('a config that is no JSON', /config\.json: not JSON/, (folder) =>
    writeFile(file(folder, 'config.json'), '{'),
  ),
  checkpointCase(
    'a config that is a folder',
    /config\.json: cannot be read: it is a folder/,
    async (folder) => {
      await rm(file(folder, 'config.json'));
      await mkdir(file(folder, 'config.json'));
    },
  ),
  checkpointCase(
    'weights that are a pipe',
    /model\.safetensors: it is a folder, pipe or device/,
    async (folder) => {
      await rm(file(folder, 'model.safetensors'));
      execFileSync('mkfifo', [file(folder, 'model.safetensors')]);
    },
  ),
];

const tokenizers: HostileCase[] = [
  tokenizerCase(
    'a token beyond the embeddings',
    /they do not belong together/,
    (json) => ({ ...json, added_tokens: [{ id: vocabularySize, content: '[NEW]', special: true }] }),
    2,
  ),
  tokenizerCase('a vocabulary without [UNK]', /has no \[UNK\]/, (json) => ({
    ...json,
    model: { type: 'WordPiece', vocab: { '[CLS]': 0, '[SEP]': 1 } },
  })),
  tokenizerCase('a model that nobody knows', /only WordPiece, BPE and Unigram models/, (json) => ({
    ...json,
    model: { type: 'WordLevel', vocab: {} },
  })),
  tokenizerCase(
    'a pre-tokenizer with a regular expression that explodes',
    /by a regular expression/,
    (json) => ({
      ...json,
      pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false },
    }),
  ),
  tokenizerCase('a normalizer that is unknown', /tokenizer\.json: Unknown Normalizer type: Evil/, (json) => ({
    ...json,
    normalizer: { type: 'Evil' },
  })),
];

export const hostileCheckpoints: HostileSection[] = [
  { title: 'Checkpoints: tensors', cases: tensors },
  { title: 'Checkpoints: safetensors that lie', cases: header },
  { title: 'Checkpoints: config.json', cases: config },
  { title: 'Checkpoints: tokenizer.json', cases: tokenizers },
];
