import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkpointShape,
  randomNumbers,
  randomText,
  writeRandomCheckpoint,
} from '../../../../test/random-checkpoint.js';
import type { StoredTensor } from '../../../../test/safetensors-file.js';
import type { Manifest } from '../bundle/manifest.js';
import { compileBundle } from './compile-bundle.js';
import { AgreementError } from './int8-fallback.js';

const shape = checkpointShape({ classes: 2, exits: [{ layer: 3, kind: 'pooler' }] });
const random = randomNumbers(4);
const texts = Array.from({ length: 96 }, () => randomText(random, 6 + Math.floor(random() * 4)));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-fallback-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/**
 * Gives one output of a linear map a huge bias and makes its reader ignore it: float32 is as before, but the outlier
 * stretches the range of the activation between them until all else rounds to nothing.
 */
function plantOutlier(tensors: Tensors, writer: string, reader: string): void {
  floats(tensors, `${writer}.bias`)[5] = 2000;
  fillColumn(tensors, reader, 5, 0);
}

/**
 * Takes a channel out of a norm and gives it a huge weight in a reader: float32 is as before, but the weight stretches the
 * range of every column until all else rounds to nothing.
 */
function plantWeight(tensors: Tensors, norm: string, reader: string): void {
  floats(tensors, `${norm}.weight`)[5] = 0;
  floats(tensors, `${norm}.bias`)[5] = 0;
  fillColumn(tensors, reader, 5, 2000);
}

type Tensors = ReadonlyMap<string, StoredTensor>;

function floats(tensors: Tensors, name: string): Float32Array {
  const { bytes } = tensors.get(name)!;
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function fillColumn(tensors: Tensors, linear: string, input: number, value: number): void {
  const [outputs, inputs] = tensors.get(`${linear}.weight`)!.shape;
  const weight = floats(tensors, `${linear}.weight`);
  for (let output = 0; output < outputs!; output++) weight[output * inputs! + input] = value;
}

const layer = (index: number): string => `bert.encoder.layer.${index}`;
const spoilOutput = (tensors: Tensors, index: number): void =>
  plantOutlier(tensors, `${layer(index)}.intermediate.dense`, `${layer(index)}.output.dense`);
const spoilContext = (tensors: Tensors, index: number): void =>
  plantOutlier(tensors, `${layer(index)}.attention.self.value`, `${layer(index)}.attention.output.dense`);
const spoilWeights = (tensors: Tensors, index: number): void => {
  const before = index === 0 ? 'bert.embeddings.LayerNorm' : `${layer(index - 1)}.output.LayerNorm`;
  for (const part of ['query', 'key', 'value']) {
    plantWeight(tensors, before, `${layer(index)}.attention.self.${part}`);
  }
  plantWeight(tensors, `${layer(index)}.attention.output.LayerNorm`, `${layer(index)}.intermediate.dense`);
};

async function compile(
  name: string,
  spoil: (tensors: Tensors) => void,
): Promise<{ manifest: Manifest; steps: string[] }> {
  const checkpoint = join(scratch, `${name}-checkpoint`);
  await writeRandomCheckpoint(checkpoint, shape, spoil);
  const steps: string[] = [];
  const manifest = await compileBundle({
    checkpoint,
    out: join(scratch, name),
    force: false,
    precision: 'int8',
    calibration: { texts },
    minAgreement: 0.96,
    tool: 'test',
    onStep: (step) => steps.push(step),
  });
  return { manifest, steps };
}

describe('int8', () => {
  it('stays int8 throughout where the agreement holds', async () => {
    const { manifest } = await compile('sound', () => {});
    expect(manifest.float32Matmuls).toEqual([]);
    expect(manifest.quality!.exits.at(-1)!.agreement).toBeGreaterThanOrEqual(0.96);
  });

  it('stays int8 where a feed-forward layer has an outlier: the channel keeps float32, the matmul does not', async () => {
    const { manifest } = await compile('outlier', (tensors) => spoilOutput(tensors, 1));
    expect(manifest.float32Matmuls).toEqual([]);
    expect(manifest.quality!.exits.at(-1)!.agreement).toBeGreaterThanOrEqual(0.96);
  });

  it('turns the matmul that an outlier spoils back to float32, and says so', async () => {
    const { manifest, steps } = await compile('spoilt', (tensors) => spoilContext(tensors, 1));
    expect(manifest.float32Matmuls).toEqual(['layer.2.attention-output']);
    expect(manifest.quality!.exits.at(-1)!.agreement).toBeGreaterThanOrEqual(0.96);
    expect(steps).toContain('1 matmuls in float32: layer.2.attention-output');
  });

  it('refuses where too many are spoilt, and leaves nothing behind', async () => {
    const compiling = compile('ruined', (tensors) => {
      for (const index of [0, 1, 2]) {
        spoilOutput(tensors, index);
        spoilContext(tensors, index);
        spoilWeights(tensors, index);
      }
    });
    await expect(compiling).rejects.toThrow(AgreementError);
    await expect(compiling).rejects.toThrow(/with 8 matmuls turned back to float32; 96\.00 % is asked for/);
    await expect(stat(join(scratch, 'ruined'))).rejects.toThrow('ENOENT');
  });
});
