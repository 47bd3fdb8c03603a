/** A checkpoint that is large to read and small on disk: weights of zeros in a file with a hole. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';

const HIDDEN_SIZE = 128;

/**
 * Writes a bare backbone of one layer, four of whose tensors have `rows` × 128 numbers.
 * @returns bytes of one of these, and of all tensors, as they are read: in float32
 */
export async function writeSparseCheckpoint(
  directory: string,
  rows: number,
): Promise<{ largest: number; total: number }> {
  const json = {
    vocab_size: rows,
    hidden_size: HIDDEN_SIZE,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: rows,
    max_position_embeddings: rows,
    sluice: { labels: [], maxLength: 8, specialTokens: 'cls-sep', exits: [] },
  };
  let total = 0;
  const entries = layoutTensors(parseCheckpointConfig(directory, json)).map(({ name, shape }) => {
    const start = total;
    total += shape.reduce((product, dim) => product * dim, 4);
    return [name, { dtype: 'F32', shape, data_offsets: [start, total] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await mkdir(directory);
  await writeFile(join(directory, 'config.json'), JSON.stringify(json));
  await writeFile(join(directory, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n');
  const file = await open(join(directory, 'model.safetensors'), 'w');
  await file.writeFile(Buffer.concat([length, header]));
  await file.truncate(length.length + header.length + total);
  await file.close();
  return { largest: rows * HIDDEN_SIZE * 4, total };
}
