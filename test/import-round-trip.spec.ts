/** Models of every format: what import writes compiles to what the model itself does, and is written again the same. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { readModelWeights } from '#model/compile/model-weights.js';
import { openModel } from '#model/import/open-model.js';
import { writeCheckpoint } from '#model/import/write-checkpoint.js';
import { checkpointShape, writeRandomCheckpoint } from './random-checkpoint.js';
import type { StoredTensor } from './safetensors-file.js';
import { float32Tensor } from './safetensors-file.js';
import { sharedFolder } from './shared-folder.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-round-trip-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(path, entry.name)] : [],
  );

const fixtures = ['huggingface-bert', 'huggingface-families'].flatMap((folder) =>
  foldersIn(join(import.meta.dirname, 'fixtures', folder)),
);
const oracles = sharedFolder === undefined ? [] : foldersIn(join(sharedFolder, 'oracle'));

/** Imports a model, as `sluice import` does. @returns whether it has a classifier, without which nothing compiles */
async function importTo(out: string, path: string): Promise<boolean> {
  const checkpoint = await openModel(path);
  try {
    await writeCheckpoint(checkpoint, checkpoint.config, { out, force: false });
    return checkpoint.config.exits.length > 0;
  } finally {
    await checkpoint.close();
  }
}

/** SHA-256 of each file. */
async function filesOf(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(directory)).sort()) {
    files[name] = createHash('sha256')
      .update(await readFile(join(directory, name)))
      .digest('hex');
  }
  return files;
}

const compile = (checkpoint: string, out: string): Promise<Manifest> =>
  compileBundle({ checkpoint, out, force: false, precision: 'fp32', minAgreement: 0.99, tool: 'test' });

async function expectRoundTrip(model: string, name: string): Promise<void> {
  const [first, again] = [join(scratch, name), join(scratch, `${name}-again`)];
  const compiles = await importTo(first, model);
  await importTo(again, first);
  const written = await filesOf(first);
  expect(Object.keys(written)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
  expect(await filesOf(again)).toEqual(written);

  const checkpoint = await openModel(first);
  try {
    // Nothing is written that compile has no use for.
    await readModelWeights(
      checkpoint,
      checkpoint.config.exits.map(({ layer }) => layer),
    );
    expect(checkpoint.unread()).toEqual([]);
    expect(checkpoint.assumptions).toEqual([]);
  } finally {
    await checkpoint.close();
  }
  if (!compiles) return;

  const bundles = { direct: join(scratch, 'direct', name), imported: join(scratch, 'imported', name) };
  const direct = await compile(model, bundles.direct);
  const imported = await compile(first, bundles.imported);
  expect({ ...imported, provenance: null }).toEqual({ ...direct, provenance: null });
  const sum = { 'bundle.json': 'compared above' };
  expect({ ...(await filesOf(bundles.imported)), ...sum }).toEqual({
    ...(await filesOf(bundles.direct)),
    ...sum,
  });
}

describe('an imported model', () => {
  it.each(fixtures.map((path) => [path.split('/').slice(-2).join('/'), path]))(
    'is the same model: %s',
    (name, path) => expectRoundTrip(path, name.replace('/', '-')),
  );

  it.each([
    ['exits of all layers', checkpointShape()],
    [
      'a teacher over exits',
      checkpointShape({
        exits: [
          { layer: 1, kind: 'fastbert', size: 16, heads: 2 },
          { layer: 3, kind: 'pooler' },
        ],
        task: 'pair',
      }),
    ],
  ])('is the same model: Sluice’s own with %s', async (name, shape) => {
    const path = join(scratch, `own ${name}`);
    await writeRandomCheckpoint(path, shape);
    await expectRoundTrip(path, name);
  });

  it.skipIf(oracles.length === 0).each(oracles.map((path) => [path.split('/').at(-1)!, path]))(
    'is the same model: %s',
    (name, path) => expectRoundTrip(path, name),
  );
});

const bias = 'exits.3.logits.bias';

it.each<[string, (tensors: Map<string, StoredTensor>) => void, RegExp]>([
  ['is missing', (tensors) => tensors.delete(bias), /tensor 'exits\.3\.logits\.bias' is missing\./],
  [
    'is misshapen',
    (tensors) => tensors.set(bias, float32Tensor([2], new Float32Array(2))),
    /tensor 'exits\.3\.logits\.bias' is \[2\]; the model's configuration asks for \[3\]\./,
  ],
  [
    'is not finite',
    (tensors) => tensors.set(bias, float32Tensor([3], Float32Array.of(0, NaN, 0))),
    /tensor 'exits\.3\.logits\.bias' holds NaN at position 1; weights must be finite\./,
  ],
])('leaves nothing behind where a tensor %s', async (problem, change, message) => {
  const path = join(scratch, problem);
  await writeRandomCheckpoint(path, checkpointShape(), change);
  const folder = join(scratch, `${problem} out`);
  await mkdir(folder);
  await expect(importTo(join(folder, 'out'), path)).rejects.toThrow(message);
  expect(await readdir(folder)).toEqual([]);
});

it('is not begun where the user has stopped it, and leaves nothing where it is stopped', async () => {
  const path = join(scratch, 'stopped');
  await writeRandomCheckpoint(path, checkpointShape());
  const out = join(scratch, 'stops', 'out');
  const stop = new AbortController();
  const checkpoint = await openModel(path);
  const written = writeCheckpoint(checkpoint, checkpoint.config, {
    out,
    force: false,
    signal: stop.signal,
    onProgress: ({ values, totalValues }) => {
      if (values > totalValues / 2) stop.abort();
    },
  });
  await expect(written).rejects.toThrow(/abort/);
  await checkpoint.close();
  expect(existsSync(out)).toBe(false);
  expect(await readdir(join(scratch, 'stops'))).toEqual([]);
});
