/** What is fuzzed: files of which every reader has some, and how each is read. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openWeights, openWeightsFile } from '#model/checkpoint/open-weights.js';
import type { TensorSource } from '#model/checkpoint/tensor-source.js';
import { openModel } from '#model/import/open-model.js';
import { float32Tensor, safetensorsFile, withHeader } from '../safetensors-file.js';
import { mutate, mutateText } from './mutate.js';

export interface FuzzTarget {
  readonly name: string;
  /** Writes a mutant. @returns what is to be opened */
  write(folder: string, random: () => number): Promise<string>;
  /** Reads all of it. */
  read(path: string): Promise<void>;
}

/** @param fixtures `test/fixtures` */
export async function fuzzTargets(fixtures: string): Promise<FuzzTarget[]> {
  const torch = join(fixtures, 'torch');
  const binaries = (await readdir(torch)).filter((name) => name.endsWith('.bin')).sort();
  const families = join(fixtures, 'huggingface-families');
  const bytesOf = (names: readonly string[]): Promise<Buffer[]> =>
    Promise.all(names.map((name) => readFile(join(torch, name))));
  const zips = await bytesOf(binaries.filter((name) => name.includes('zip')));
  const legacies = await bytesOf(binaries.filter((name) => name.includes('legacy')));
  return [
    binaryTarget('safetensors', 'model.safetensors', [smallSafetensors()]),
    headerTarget(smallSafetensors()),
    binaryTarget('torch, zip container', 'pytorch_model.bin', zips),
    binaryTarget('torch, legacy container', 'pytorch_model.bin', legacies),
    await indexTarget(join(families, 'bert-silu')),
    await modelTarget(join(families, 'distilbert'), 'config.json', 'pytorch_model.bin'),
    await modelTarget(join(families, 'roberta'), 'tokenizer.json', 'pytorch_model.bin'),
  ];
}

/** Of every number format that weights have; small, so that few bytes are those of values. */
function smallSafetensors(): Buffer {
  const formats = { F64: 8, F32: 4, F16: 2, BF16: 2 };
  return safetensorsFile(
    new Map([
      ...Object.entries(formats).map(
        ([dtype, width]) => [dtype, { dtype, shape: [2, 3], bytes: new Uint8Array(6 * width) }] as const,
      ),
      ['empty', float32Tensor([0, 4], new Float32Array(0))],
      ['scalar', float32Tensor([], Float32Array.of(1))],
    ]),
  );
}

function binaryTarget(name: string, file: string, seeds: readonly Buffer[]): FuzzTarget {
  return {
    name,
    async write(folder, random) {
      const seed = seeds[Math.floor(random() * seeds.length)]!;
      const path = join(folder, file);
      await writeFile(path, mutate(seed, random, seeds));
      return path;
    },
    read: (path) => readWeights(openWeightsFile(path)),
  };
}

/** A header whose length is right, whatever it says. */
function headerTarget(seed: Buffer): FuzzTarget {
  const end = 8 + Number(seed.readBigUInt64LE(0));
  const header = seed.toString('utf8', 8, end);
  return {
    name: 'safetensors, its header',
    async write(folder, random) {
      const path = join(folder, 'model.safetensors');
      await writeFile(path, withHeader(mutateText(header, random), [seed.subarray(end)]));
      return path;
    },
    read: (path) => readWeights(openWeightsFile(path)),
  };
}

/** Shards that are sound, and an index that is not. */
async function indexTarget(model: string): Promise<FuzzTarget> {
  const files = await contentsOf(model);
  const index = 'model.safetensors.index.json';
  const text = files.get(index)!.toString('utf8');
  return {
    name: 'index of shards',
    async write(folder, random) {
      for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
      await writeFile(join(folder, index), mutateText(text, random));
      return folder;
    },
    read: (path) => readWeights(openWeights(path)),
  };
}

/** A whole model, one of whose JSON files is not sound. */
async function modelTarget(model: string, file: string, weights: string): Promise<FuzzTarget> {
  const files = await contentsOf(model);
  const text = files.get(file)!.toString('utf8');
  return {
    name: `${file} of a model`,
    async write(folder, random) {
      for (const name of ['config.json', 'tokenizer.json', weights]) {
        await writeFile(join(folder, name), files.get(name)!);
      }
      const mutant =
        random() < 0.2 ? mutate(Buffer.from(text), random, [Buffer.from(text)]) : mutateText(text, random);
      await writeFile(join(folder, file), mutant);
      return folder;
    },
    async read(path) {
      const checkpoint = await openModel(path);
      try {
        await checkpoint.tokenizer();
      } finally {
        await checkpoint.close();
      }
    },
  };
}

async function contentsOf(folder: string): Promise<Map<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}

async function readWeights(opened: Promise<TensorSource>): Promise<void> {
  const tensors = await opened;
  try {
    for (const name of tensors.names()) {
      const values = await tensors.read(name);
      const expected = tensors.shape(name)!.reduce((product, dim) => product * dim, 1);
      if (values.length !== expected) {
        throw new RangeError(`${name} has ${values.length} values where its shape has ${expected}.`);
      }
    }
  } finally {
    await tensors.close();
  }
}
