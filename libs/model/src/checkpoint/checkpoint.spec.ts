import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkpointShape,
  configJson,
  randomTensors,
  writeRandomCheckpoint,
} from '../../../../test/random-checkpoint.js';
import type { StoredTensor } from '../../../../test/safetensors-file.js';
import { float32Tensor, safetensorsFile } from '../../../../test/safetensors-file.js';
import { readModelWeights } from '../compile/model-weights.js';
import { CheckpointError } from './checkpoint-config.js';
import { openModel } from '../import/open-model.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-checkpoint-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const shape = checkpointShape({ layers: 1 });
const exits = shape.exits.map(({ layer }) => layer);

async function readAll(directory: string): Promise<unknown> {
  const checkpoint = await openModel(directory);
  try {
    return await readModelWeights(checkpoint, exits);
  } finally {
    await checkpoint.close();
  }
}

/** Reads a checkpoint whose tensors were renamed or changed. */
async function readChanged(change: (tensors: Map<string, StoredTensor>) => void): Promise<unknown> {
  const directory = join(scratch, 'changed');
  await writeRandomCheckpoint(directory, shape, change);
  return readAll(directory);
}

const renameAll =
  (pattern: RegExp, replacement: string) =>
  (tensors: Map<string, StoredTensor>): void => {
    for (const [name, tensor] of Array.from(tensors)) {
      tensors.delete(name);
      tensors.set(name.replace(pattern, replacement), tensor);
    }
  };

describe('Checkpoint', () => {
  it('finds LayerNorm as gamma and beta, and an encoder without its prefix', async () => {
    const expected = await readChanged(() => {});
    expect(
      await readChanged((tensors) => {
        renameAll(/LayerNorm\.weight$/, 'LayerNorm.gamma')(tensors);
        renameAll(/LayerNorm\.bias$/, 'LayerNorm.beta')(tensors);
      }),
    ).toEqual(expected);
    expect(await readChanged(renameAll(/^bert\./, ''))).toEqual(expected);
  });

  it('reads a Hugging Face head, with and without the encoder’s prefix', async () => {
    const { sluice: _, ...config } = configJson(shape);
    const tensors = randomTensors({ ...shape, exits: [{ layer: 1, kind: 'pooler' }] });
    renameAll(/^exits\.1\.pooler/, 'bert.pooler.dense')(tensors);
    renameAll(/^exits\.1\.logits/, 'classifier')(tensors);
    const found = [];
    for (const prefix of ['bert.', '']) {
      const directory = join(scratch, `huggingface-${prefix}`);
      await mkdir(directory);
      const id2label = { 0: 'a', 1: 'b', 2: 'c' };
      await writeFile(join(directory, 'config.json'), JSON.stringify({ ...config, id2label }));
      renameAll(/^bert\./, prefix)(tensors);
      await writeFile(join(directory, 'model.safetensors'), safetensorsFile(tensors));
      await writeFile(join(directory, 'vocab.txt'), '[UNK]\n[CLS]\n[SEP]\n');
      const checkpoint = await openModel(directory);
      found.push((await readModelWeights(checkpoint, [1])).exits.get(1));
      await checkpoint.close();
    }
    expect(found[0]).toMatchObject({ kind: 'pooler', pooler: { inputs: 32 }, logits: { outputs: 3 } });
    expect(found[1]).toEqual(found[0]);
  });

  const norm = 'bert.encoder.layer.0.output.LayerNorm.weight';
  it.each<[string, (tensors: Map<string, StoredTensor>) => void, RegExp]>([
    [
      'a missing encoder tensor',
      (tensors) => tensors.delete('bert.encoder.layer.0.attention.self.key.bias'),
      /tensor 'bert\.encoder\.layer\.0\.attention\.self\.key\.bias' is missing/,
    ],
    [
      'a missing norm, by its usual name',
      (tensors) => tensors.delete(norm),
      /output\.LayerNorm\.weight' is missing/,
    ],
    [
      'a missing exit tensor',
      (tensors) => tensors.delete('exits.0.narrow.weight'),
      /tensor 'exits\.0\.narrow\.weight' is missing/,
    ],
    [
      'a tensor of another shape',
      (tensors) => tensors.set(norm, float32Tensor([16], new Float32Array(16))),
      /LayerNorm\.weight' is \[16\]; the model's configuration asks for \[32\]/,
    ],
    [
      'a transposed matrix',
      (tensors) => tensors.set('exits.1.narrow.weight', float32Tensor([32, 16], new Float32Array(512))),
      /'exits\.1\.narrow\.weight' is \[32, 16\]; the model's configuration asks for \[16, 32\]/,
    ],
    [
      'NaN',
      (tensors) => tensors.set(norm, float32Tensor([32], new Float32Array(32).fill(Number.NaN, 7))),
      /LayerNorm\.weight' holds NaN at position 7; weights must be finite/,
    ],
    [
      'infinity',
      (tensors) => tensors.set('exits.0.logits.bias', float32Tensor([3], Float32Array.of(0, -Infinity, 0))),
      /'exits\.0\.logits\.bias' holds -Infinity at position 1/,
    ],
  ])('refuses %s', async (_, change, message) => {
    const reading = readChanged(change);
    await expect(reading).rejects.toThrow(CheckpointError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow('model.safetensors');
  });

  it('says what a directory lacks', async () => {
    const directory = join(scratch, 'half');
    await expect(openModel(directory)).rejects.toThrow(/half: not a checkpoint: it cannot be read/);
    await mkdir(directory);
    await writeFile(join(directory, 'config.json'), '{');
    await expect(openModel(directory)).rejects.toThrow(/config\.json: not JSON/);
    await writeFile(join(directory, 'config.json'), JSON.stringify(configJson(shape)));
    await expect(openModel(directory)).rejects.toThrow(
      /half: not a checkpoint: weights are expected in model\.safetensors, /,
    );
  });

  it('is named by the hash of its config and weights', async () => {
    const directory = join(scratch, 'hashed');
    await writeRandomCheckpoint(directory, shape);
    const hash = async (): Promise<string> => {
      const checkpoint = await openModel(directory);
      await checkpoint.close();
      return checkpoint.sha256;
    };
    const first = await hash();
    expect(await hash()).toBe(first);
    const weights = join(directory, 'model.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    expect(await hash()).not.toBe(first);
  });
});
