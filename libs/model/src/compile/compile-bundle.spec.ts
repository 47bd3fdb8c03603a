import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
import { float32Tensor } from '../../../../test/safetensors-file.js';
import { BundleError, openBundle } from '../bundle/bundle.js';
import { BundleExistsError } from '../bundle/write-bundle.js';
import { compileBundle } from './compile-bundle.js';
import type { CompileOptions } from './compile-options.js';

const shape = checkpointShape();
const random = randomNumbers(8);
const texts = Array.from({ length: 40 }, () => randomText(random, 4 + Math.floor(random() * 9)));
const labels = texts.map((_, row) => (row < 30 ? `class-${row % 3}` : undefined));

let scratch: string;
let checkpoint: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-compile-'));
  checkpoint = join(scratch, 'checkpoint');
  await writeRandomCheckpoint(checkpoint, shape);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const options = (name: string, changes: Partial<CompileOptions> = {}): CompileOptions => ({
  checkpoint,
  out: join(scratch, name),
  force: false,
  precision: 'fp32',
  minAgreement: 0.5,
  tool: 'test 1',
  ...changes,
});

async function filesOf(directory: string): Promise<Map<string, string>> {
  const names = (await readdir(directory)).sort();
  const files = names.map(async (name): Promise<[string, string]> => [
    name,
    (await readFile(join(directory, name))).toString('base64'),
  ]);
  return new Map(await Promise.all(files));
}

/** Compiles a checkpoint with other tensors. */
async function compileChanged(
  name: string,
  change: (tensors: Map<string, StoredTensor>) => void,
  changes: Partial<CompileOptions>,
): Promise<unknown> {
  const changed = join(scratch, `${name}-checkpoint`);
  await writeRandomCheckpoint(changed, shape, change);
  return compileBundle(options(name, { ...changes, checkpoint: changed }));
}

describe('compileBundle', () => {
  it('gives the same bytes each time', async () => {
    const int8: Partial<CompileOptions> = { precision: 'int8', calibration: { texts, labels } };
    await compileBundle(options('first/model', int8));
    await compileBundle(options('second/model', int8));
    const first = await filesOf(join(scratch, 'first/model'));
    expect([...first.keys()]).toEqual([
      'bundle.json',
      'golden.json',
      'stage-1.onnx',
      'stage-2.onnx',
      'stage-3.onnx',
      'tokenizer.json',
    ]);
    expect(await filesOf(join(scratch, 'second/model'))).toEqual(first);
  });

  it('describes what it made', async () => {
    const manifest = await compileBundle(options('described', { exits: [1, 2], measure: { texts, labels } }));
    expect(manifest).toMatchObject({
      name: 'described',
      labels: ['class-0', 'class-1', 'class-2'],
      exits: [1, 2, 3].map((layer) => ({ layer, kind: 'fastbert', size: 16, heads: 2 })),
      stages: [
        { layers: [1, 2], exits: [1, 2] },
        { layers: [3, 3], exits: [3] },
      ],
      precision: 'fp32',
      activation: 'float32',
      float32Matmuls: [],
      provenance: { calibration: null, tool: 'test 1' },
      quality: { texts: 40 },
    });
    const { leaving = [] } = manifest.quality!;
    expect(leaving[0]).toEqual({ speed: 0, shares: [0, 0, 1] });
    // At the speed of each preset the mean layer is that of the preset.
    for (const { thresholds, meanLayers } of Object.values(manifest.presets)) {
      const { shares } = leaving.find(({ speed }) => speed === thresholds['3'])!;
      const mean = shares[0]! * 1 + shares[1]! * 2 + shares[2]! * 3;
      expect(mean).toBeCloseTo(meanLayers!, 9);
    }
    for (const { agreement, accuracy, accuracyFp32 } of manifest.quality!.exits) {
      expect(agreement).toBe(1);
      expect(accuracy).toBe(accuracyFp32);
    }
    expect((await openBundle(join(scratch, 'described'))).manifest).toEqual(manifest);
  });

  it('replaces a bundle only where it is told to, and nothing else ever', async () => {
    await compileBundle(options('taken'));
    await expect(compileBundle(options('taken'))).rejects.toThrow(BundleExistsError);
    await compileBundle(options('taken', { force: true, stageEnds: [] }));
    expect((await openBundle(join(scratch, 'taken'))).stageFiles).toHaveLength(1);

    const precious = join(scratch, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'thesis.txt'), 'years of work');
    await expect(compileBundle(options('precious', { force: true }))).rejects.toThrow(/is no bundle/);
    expect(await readFile(join(precious, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('asks for what it lacks', async () => {
    await expect(compileBundle(options('a', { precision: 'int8' }))).rejects.toThrow(/give --calibrate FILE/);
    await expect(compileBundle(options('b', { maxLength: 131 }))).rejects.toThrow(
      /131, but the model has 130/,
    );
    await expect(compileBundle(options('c', { task: 'pair', calibration: { texts } }))).rejects.toThrow(
      /name the second one with --pair-field/,
    );
  });

  it('refuses a tokenizer of another model', async () => {
    const other = join(scratch, 'other-vocabulary');
    await writeRandomCheckpoint(other, shape);
    const vocabulary = await readFile(join(other, 'vocab.txt'), 'utf8');
    await writeFile(join(other, 'vocab.txt'), `${vocabulary}more\nwords\n`);
    await expect(compileBundle(options('e', { checkpoint: other }))).rejects.toThrow(
      /token of id 42, but the model embeds 41 tokens/,
    );
  });

  it('refuses weights that float16 cannot hold', async () => {
    const name = 'bert.encoder.layer.1.output.dense.bias';
    const spoil = (tensors: Map<string, StoredTensor>): void => {
      tensors.set(name, float32Tensor([32], new Float32Array(32).fill(70_000)));
    };
    await expect(compileChanged('f', spoil, { precision: 'fp16' })).rejects.toThrow(
      /weight of 70000[.\d]* does not fit float16/,
    );
    await expect(compileChanged('g', spoil, {})).resolves.toBeDefined();
  });
});

describe('openBundle', () => {
  it('notices damage in every file', async () => {
    const directory = join(scratch, 'damaged');
    await compileBundle(options('damaged'));
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const whole = await readFile(path);
      const damaged = Buffer.from(whole);
      damaged[damaged.length >> 1]! ^= 1;
      await writeFile(path, damaged);
      const opened = await openBundle(directory).catch((error: unknown) => error);
      // bundle.json has no hash beside it: it is named by its own, so damage there makes it another bundle, if it still is one.
      if (name === 'bundle.json')
        expect(opened instanceof BundleError || 'hash' in Object(opened)).toBe(true);
      else expect(opened, name).toBeInstanceOf(BundleError);
      await rm(path);
      await expect(openBundle(directory), name).rejects.toThrow(BundleError);
      await writeFile(path, whole);
    }
    await expect(openBundle(directory)).resolves.toMatchObject({ directory });
  });

  it.each([
    ['a file outside the bundle', { golden: { file: '../golden.json', sha256: 'a'.repeat(64) } }],
    ['another version', { format: 2 }],
    ['an unknown precision', { precision: 'int4' }],
  ])('refuses a manifest with %s', async (_, change) => {
    const directory = join(scratch, 'described-otherwise');
    await compileBundle(options('described-otherwise', { force: true }));
    const path = join(directory, 'bundle.json');
    const manifest = Object(JSON.parse(await readFile(path, 'utf8')));
    await writeFile(path, JSON.stringify({ ...manifest, ...change }));
    await expect(openBundle(directory)).rejects.toThrow(/not what a bundle has/);
  });

  it('says that a directory is none', async () => {
    await expect(openBundle(checkpoint)).rejects.toThrow(
      /not a bundle: bundle\.json cannot be read .*sluice compile/,
    );
  });
});
