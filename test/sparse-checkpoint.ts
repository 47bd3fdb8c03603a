/** A checkpoint that is large to read and small on disk: weights of zeros in a file with a hole. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';
import { pickledDictionary, pickledTensor, writeSparseArchive } from './torch-archive.js';

const HIDDEN_SIZE = 128;

type Layout = readonly { readonly name: string; readonly shape: readonly number[] }[];

/**
 * Writes a bare backbone of one layer, four of whose tensors have `rows` × 128 numbers: Sluice's own checkpoint, or one of
 * Hugging Face with a file of torch whose matrices are transposed views.
 * @returns bytes of one of these, and of all tensors, as they are read: in float32
 */
export async function writeSparseCheckpoint(
  directory: string,
  rows: number,
  weights: 'safetensors' | 'torch',
): Promise<{ largest: number; total: number }> {
  const config = {
    model_type: 'bert',
    vocab_size: rows,
    hidden_size: HIDDEN_SIZE,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: rows,
    max_position_embeddings: rows,
  };
  const sluice = { labels: [], maxLength: 8, specialTokens: 'cls-sep', exits: [] };
  const tensors = layoutTensors(parseCheckpointConfig(directory, { ...config, sluice }));
  await mkdir(directory);
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify(weights === 'safetensors' ? { ...config, sluice } : config),
  );
  await writeFile(join(directory, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n');
  if (weights === 'safetensors') await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  else await writeTorch(join(directory, 'pytorch_model.bin'), tensors);
  const total = tensors.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  return { largest: rows * HIDDEN_SIZE * 4, total };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

async function writeSafetensors(path: string, tensors: Layout): Promise<void> {
  let total = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = total;
    total += 4 * sizeOf(shape);
    return [name, { dtype: 'F32', shape, data_offsets: [start, total] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(path, 'w');
  await file.writeFile(Buffer.concat([length, header]));
  await file.truncate(length.length + header.length + total);
  await file.close();
}

async function writeTorch(path: string, tensors: Layout): Promise<void> {
  const pickled = tensors.map(({ name, shape }, index) => {
    const strides = shape.length === 2 ? [1, shape[0]!] : [1];
    const view = { storage: String(index), elements: sizeOf(shape), offset: 0, shape, strides };
    return [name, pickledTensor(view)] as const;
  });
  await writeSparseArchive(path, [
    { name: 'archive/data.pkl', content: pickledDictionary(Object.fromEntries(pickled)) },
    ...tensors.map(({ shape }, index) => ({ name: `archive/data/${index}`, content: 4 * sizeOf(shape) })),
  ]);
}
