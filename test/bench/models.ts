import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../../apps/cli/src/version.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { openModel } from '#model/import/open-model.js';
import type { SampleTexts } from '#model/compile/sample-texts.js';
import type { Precision } from '#model/compile/stage-graph.js';
import { loadTokenizerJson } from '#tokenizer/load-tokenizer.js';
import { runChild } from './children/run-child.js';

/**
 * The bundles of one model: the last exit alone, in one stage, which is the model without early exits; the exits behind
 * every layer; and with exit 0 before all layers.
 */
export const bundleKinds = ['fp32-last', 'int8-last', 'int8-from-1', 'int8-from-0'] as const;
export type BundleKind = (typeof bundleKinds)[number];
export type Bundles = ReadonlyMap<BundleKind, Bundle>;

/** What a bundle of a kind is compiled with. */
interface Recipe {
  readonly precision: Precision;
  readonly exits: readonly number[];
  readonly stageEnds?: readonly number[];
}

/** The kinds that a committed bundle with exits 0 to L can stand for; at full depth it computes its exits, too. */
export async function bundlesOfBundle(directory: string): Promise<Bundles> {
  const bundle = await openBundle(directory);
  return new Map([
    ['int8-last', bundle],
    ['int8-from-0', bundle],
  ]);
}

/**
 * Compiles what is not in the cache. A checkpoint without exit 0 has no bundle from 0.
 * @param needed kinds to compile
 * @param cache folder that compiled bundles are kept in
 * @throws CompileError and what else `compileBundle` throws, as a ChildError with the message on standard error
 */
export async function bundlesOfCheckpoint(
  directory: string,
  calibration: SampleTexts,
  needed: ReadonlySet<BundleKind>,
  cache: string,
  onStep: (step: string) => void,
): Promise<Bundles> {
  const checkpoint = await openModel(directory);
  await checkpoint.close();
  const { geometry, exits } = checkpoint.config;
  const code = await codeHash();
  const tokenizer = await loadTokenizerJson(directory);
  const bundles = new Map<BundleKind, Bundle>();
  for (const [kind, recipe] of recipes(
    exits.map(({ layer }) => layer),
    geometry.layers,
  )) {
    if (!needed.has(kind)) continue;
    const key = hashOf([checkpoint.sha256, tokenizer, recipe, calibration, code]).slice(0, 12);
    const name = `${basename(resolve(directory))}-${kind}`;
    const out = join(cache, `${name}-${key}`);
    if (!existsSync(out)) {
      onStep(`compiling ${name}`);
      await removeUnused(cache);
      const int8 = recipe.precision === 'int8';
      await runChild('compile.child.js', {
        ...recipe,
        checkpoint: directory,
        out,
        force: true,
        calibration: int8 ? calibration : undefined,
        minAgreement: 0.99,
        tool: `sluice ${version} bench`,
      });
    }
    await utimes(out, new Date(), new Date());
    bundles.set(kind, await openBundle(out));
  }
  return bundles;
}

function recipes(exits: readonly number[], layers: number): Map<BundleKind, Recipe> {
  const last = { exits: [layers], stageEnds: [] };
  const behindLayers = exits.filter((layer) => layer > 0);
  const recipes = new Map<BundleKind, Recipe>([
    ['fp32-last', { precision: 'fp32', ...last }],
    ['int8-last', { precision: 'int8', ...last }],
    ['int8-from-1', { precision: 'int8', exits: behindLayers }],
  ]);
  if (exits.includes(0)) recipes.set('int8-from-0', { precision: 'int8', exits });
  return recipes;
}

/** Compiled bundles that no bench has used for so long are removed; another one may be using a younger one. */
const KEPT_MS = 24 * 60 * 60 * 1000;

async function removeUnused(cache: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    const path = join(cache, entry);
    const unused = Date.now() - (await stat(path)).mtimeMs;
    if (existsSync(join(path, 'bundle.json')) && unused > KEPT_MS) await rm(path, { recursive: true });
  }
}

/** Over the built code that makes a bundle. */
async function codeHash(): Promise<string> {
  const libs = fileURLToPath(new URL('../../libs', import.meta.url));
  const hash = createHash('sha256');
  for (const library of ['inference', 'model', 'tokenizer']) {
    const names = await readdir(join(libs, library), { recursive: true });
    for (const name of names.filter((name) => name.endsWith('.js')).sort()) {
      hash.update(name).update(await readFile(join(libs, library, name)));
    }
  }
  return hash.digest('hex');
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
