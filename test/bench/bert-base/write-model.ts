import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomNumbers } from '../../random-checkpoint.js';
import { pickledDictionary, pickledTensor, writeSparseArchive } from '../../torch-archive.js';

/** BERT-base as bert-base-chinese has it, and BitVoyage's exits. */
export const bertBase = {
  vocabulary: 21_128,
  hiddenSize: 768,
  layers: 12,
  heads: 12,
  intermediateSize: 3072,
  positions: 512,
  exitSize: 128,
  exitHeads: 8,
  classes: 2,
  maxLength: 128,
} as const;

/** Uniform weights in centre ± amplitude. */
interface RandomTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly amplitude: number;
  readonly centre: number;
}

const WORD_EMBEDDINGS = 1;
const OTHER_EMBEDDINGS = 0.3;
const BIAS = 0.1;
/** Far enough from 0 that probabilities differ from text to text. */
const LOGITS_GAIN = 3;

/**
 * Writes a model of BERT-base's geometry with random weights as BitVoyage/FastBERT saves it: `Epoch_1.bin` (zip container,
 * 400 MB), `fastbert_cls.json`, `bert_config.json`, `vocab.txt`. The same each time. Weights have the variance 1 ÷ inputs,
 * so that texts stay apart through all layers.
 */
export async function writeBertBase(directory: string): Promise<void> {
  const { vocabulary, hiddenSize, layers, heads, intermediateSize, positions } = bertBase;
  const json = (name: string, value: object): Promise<void> =>
    writeFile(join(directory, name), `${JSON.stringify(value, undefined, 1)}\n`);
  await mkdir(directory, { recursive: true });
  await json('fastbert_cls.json', {
    vocab_file: 'vocab.txt',
    bert_config_path: 'bert_config.json',
    num_class: bertBase.classes,
    cls_hidden_size: bertBase.exitSize,
    cls_num_attention_heads: bertBase.exitHeads,
    max_seq_len: bertBase.maxLength,
    num_tuning_layers: layers,
  });
  await json('bert_config.json', {
    vocab_size: vocabulary,
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediateSize,
    hidden_act: 'gelu',
    max_position_embeddings: positions,
    type_vocab_size: 2,
  });
  await writeFile(
    join(directory, 'vocab.txt'),
    words()
      .map((word) => `${word}\n`)
      .join(''),
  );
  await writeWeights(join(directory, 'Epoch_1.bin'), tensors());
}

/** Special tokens, printable ASCII and its pieces, CJK punctuation and ideographs: a Chinese text is a token a character. */
export function words(): string[] {
  const ascii = range(0x21, 0x7f).filter((character) => character === character.toLowerCase());
  const pieces = ascii.filter((character) => /[a-z0-9]/.test(character)).map((character) => `##${character}`);
  const marks = Array.from('，。！？；：“”‘’《》（）、…—');
  const known = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...ascii, ...pieces, ...marks];
  return [...known, ...range(0x4e00, 0x4e00 + bertBase.vocabulary - known.length)];
}

function tensor(name: string, shape: readonly number[], amplitude: number, centre = 0): RandomTensor {
  return { name, shape, amplitude, centre };
}

function range(start: number, end: number): string[] {
  return Array.from({ length: end - start }, (_, index) => String.fromCodePoint(start + index));
}

function tensors(): RandomTensor[] {
  const { vocabulary, hiddenSize, layers, intermediateSize, positions, exitSize, classes } = bertBase;
  const linear = (name: string, inputs: number, outputs: number, gain = 1): RandomTensor[] => [
    tensor(`${name}.weight`, [outputs, inputs], gain * Math.sqrt(3 / inputs)),
    tensor(`${name}.bias`, [outputs], BIAS),
  ];
  const norm = (name: string): RandomTensor[] => [
    tensor(`${name}.gamma`, [hiddenSize], BIAS, 1),
    tensor(`${name}.beta`, [hiddenSize], BIAS),
  ];
  const layer = (prefix: string): RandomTensor[] => [
    ...['query', 'key', 'value'].flatMap((part) =>
      linear(`${prefix}.attention.self.${part}`, hiddenSize, hiddenSize),
    ),
    ...linear(`${prefix}.attention.output.dense`, hiddenSize, hiddenSize),
    ...norm(`${prefix}.attention.output.LayerNorm`),
    ...linear(`${prefix}.intermediate.dense`, hiddenSize, intermediateSize),
    ...linear(`${prefix}.output.dense`, intermediateSize, hiddenSize),
    ...norm(`${prefix}.output.LayerNorm`),
  ];
  const exit = (prefix: string): RandomTensor[] => [
    ...linear(`${prefix}.dense_narrow`, hiddenSize, exitSize),
    ...['query', 'key', 'value'].flatMap((part) =>
      linear(`${prefix}.selfAttention.${part}`, exitSize, exitSize),
    ),
    ...linear(`${prefix}.dense_prelogits`, exitSize, exitSize),
    ...linear(`${prefix}.dense_logits`, exitSize, classes, LOGITS_GAIN),
  ];
  return [
    tensor('embeddings.word_embeddings.weight', [vocabulary, hiddenSize], WORD_EMBEDDINGS),
    tensor('embeddings.position_embeddings.weight', [positions, hiddenSize], OTHER_EMBEDDINGS),
    tensor('embeddings.token_type_embeddings.weight', [2, hiddenSize], OTHER_EMBEDDINGS),
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: layers }, (_, index) => layer(`graph.layers.${index}`)).flat(),
    ...Array.from({ length: layers - 1 }, (_, index) =>
      exit(`graph.layer_classifiers.branch_classifier_${index}`),
    ).flat(),
    ...exit('graph.layer_classifiers.final_classifier'),
  ];
}

const storageOf = (index: number): string => `archive/data/${index}`;

async function writeWeights(path: string, all: readonly RandomTensor[]): Promise<void> {
  const sizeOf = ({ shape }: RandomTensor): number => shape.reduce((product, dim) => product * dim, 1);
  const data = pickledDictionary(
    Object.fromEntries(
      all.map((tensor, index) => {
        const { name, shape } = tensor;
        const strides = shape.map((_, axis) =>
          shape.slice(axis + 1).reduce((product, dim) => product * dim, 1),
        );
        const view = { storage: String(index), elements: sizeOf(tensor), offset: 0, shape, strides };
        return [name, pickledTensor(view)];
      }),
    ),
  );
  const starts = await writeSparseArchive(path, [
    { name: 'archive/data.pkl', content: data },
    { name: 'archive/version', content: Buffer.from('3\n') },
    ...all.map((tensor, index) => ({ name: storageOf(index), content: 4 * sizeOf(tensor) })),
  ]);
  const random = randomNumbers(1);
  const file = await open(path, 'r+');
  for (const [index, tensor] of all.entries()) {
    const { amplitude, centre } = tensor;
    const values = Float32Array.from(
      { length: sizeOf(tensor) },
      () => centre + amplitude * (2 * random() - 1),
    );
    await file.write(new Uint8Array(values.buffer), 0, values.byteLength, starts.get(storageOf(index)));
  }
  await file.close();
}
