import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGraph } from '#inference/onnx-graph.js';
import type { RandomExit } from '../../../../test/random-checkpoint.js';
import {
  checkpointShape,
  randomNumbers,
  randomTensors,
  writeRandomCheckpoint,
} from '../../../../test/random-checkpoint.js';
import type { StoredTensor } from '../../../../test/safetensors-file.js';
import { openModel } from '../import/open-model.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { writeExit } from './exit-graph.js';
import { foldExit } from './fold-exit.js';
import { LinearWriter } from './linear-writer.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-fold-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const HIDDEN = 32;
const SIZE = 16;
const CLASSES = 4;
type Vector = readonly number[];

/** The exit as it is trained, in float64, every query, key and value computed. @param x `[S, hidden]` */
function unfolded(
  tensors: ReadonlyMap<string, StoredTensor>,
  exit: RandomExit,
  x: readonly Vector[],
): number[] {
  const values = (name: string): Float32Array => {
    const { bytes } = tensors.get(`exits.0.${name}`)!;
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  };
  const linear = (name: string, input: Vector): number[] => {
    const weight = values(`${name}.weight`);
    return Array.from(values(`${name}.bias`), (bias, out) =>
      input.reduce((sum, value, i) => sum + value * weight[out * input.length + i]!, bias),
    );
  };
  const attention = (z: readonly Vector[], heads: number): number[] => {
    const [query] = z.map((token) => linear('query', token));
    const keys = z.map((token) => linear('key', token));
    const valuesOfTokens = z.map((token) => linear('value', token));
    const width = SIZE / heads;
    const attended = Array.from({ length: SIZE }, () => 0);
    for (let head = 0; head < heads; head++) {
      const dimensions = Array.from({ length: width }, (_, i) => head * width + i);
      const weights = softmax(
        keys.map((key) => dimensions.reduce((sum, d) => sum + query![d]! * key[d]!, 0) / Math.sqrt(width)),
      );
      for (const d of dimensions) {
        attended[d] = weights.reduce((sum, weight, t) => sum + weight * valuesOfTokens[t]![d]!, 0);
      }
    }
    return attended;
  };
  switch (exit.kind) {
    case 'fastbert': {
      const z = x.map((token) => linear('narrow', token).map(Math.tanh));
      const y = linear('hidden', linear('output', attention(z, exit.heads!))).map(Math.tanh);
      return softmax(linear('logits', y));
    }
    case 'bitvoyage': {
      const z = x.map((token) => linear('narrow', token));
      return softmax(linear('logits', linear('hidden', attention(z, exit.heads!))));
    }
    case 'pooler':
      return softmax(linear('logits', linear('pooler', x[0]!).map(activations[exit.activation!])));
  }
}

function softmax(scores: Vector): number[] {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

const activations = {
  tanh: Math.tanh,
  relu: (x: number): number => Math.max(0, x),
  gelu: (x: number): number => (x * (1 + erf(x / Math.SQRT2))) / 2,
};

/** By its power series, exact to 1e-12 where |x| < 4. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const exits: readonly [string, RandomExit][] = [
  ...[1, 2, 8].flatMap((heads): [string, RandomExit][] => [
    [`fastbert, ${heads} heads`, { layer: 0, kind: 'fastbert', size: SIZE, heads }],
    [`bitvoyage, ${heads} heads`, { layer: 0, kind: 'bitvoyage', size: SIZE, heads }],
  ]),
  ...(['tanh', 'relu', 'gelu'] as const).map((activation): [string, RandomExit] => [
    `pooler, ${activation}`,
    { layer: 0, kind: 'pooler', activation },
  ]),
];

describe('a folded exit', () => {
  it.each(exits)('says what the unfolded one says: %s', async (name, exit) => {
    const shape = checkpointShape({
      seed: 20 + (exit.heads ?? 0),
      hiddenSize: HIDDEN,
      layers: 1,
      classes: CLASSES,
      exits: [exit, { layer: 1, kind: 'pooler' }],
    });
    const directory = join(scratch, name);
    await writeRandomCheckpoint(directory, shape);
    const checkpoint = await openModel(directory);
    const folded = await foldExit(checkpoint, checkpoint.config.exits[0]!);
    await checkpoint.close();

    const builder = new GraphBuilder();
    const hidden = builder.input('hidden', 'float32', ['B', 'S', HIDDEN]);
    const rows = builder.input('rows', 'int32', ['B']);
    writeExit(
      builder,
      new LinearWriter(builder, 'float32', undefined, false),
      checkpoint.config,
      folded,
      hidden,
      rows,
    );
    const graph = await openGraph(builder.toModel('exit'));

    const random = randomNumbers(1 + (exit.heads ?? 0));
    const tokens = 9;
    const texts = Array.from({ length: 5 }, () =>
      Array.from({ length: tokens }, () =>
        Array.from({ length: HIDDEN }, () => Math.fround(4 * random() - 2)),
      ),
    );
    const { probabilities_0: found, uncertainty_0: uncertainty } = await graph.run({
      hidden: { dims: [texts.length, tokens, HIDDEN], data: Float32Array.from(texts.flat(2)) },
      rows: { dims: [texts.length], data: new Int32Array(texts.length) },
    });
    await graph.release();
    const tensors = randomTensors(shape);
    for (const [row, text] of texts.entries()) {
      const expected = unfolded(tensors, exit, text);
      const entropy = -expected.reduce((sum, p) => sum + p * Math.log(p), 0) / Math.log(CLASSES);
      for (const [c, p] of expected.entries()) {
        expect(Math.abs(Number(found!.data[row * CLASSES + c]) - p)).toBeLessThan(1e-5);
      }
      expect(Math.abs(Number(uncertainty!.data[row]) - entropy)).toBeLessThan(1e-5);
    }
  });
});
