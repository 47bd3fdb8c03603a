/** Every hostile input of the catalogue, on the real command; and the page that tells of them. */
import { afterAll, describe, expect, it } from 'vitest';
import { hostileArchives } from './hostile-archives.js';
import { hostileBundles, removeCompiled } from './hostile-bundles.js';
import type { HostileCase } from './hostile-case.js';
import { hostileCheckpoints } from './hostile-checkpoints.js';
import { hostileFiles } from './hostile-files.js';
import { hostileFlags } from './hostile-flags.js';
import { hostilePage } from './hostile-page.js';
import { hostilePlaces } from './hostile-places.js';
import { hostileRows } from './hostile-rows.js';
import { hostileWeights } from './hostile-weights.js';
import type { SeenStep } from './see-case.js';
import { seeCase } from './see-case.js';
import { canMount } from './small-disk.js';

const sections = [
  hostileRows,
  ...hostileFiles,
  hostileArchives,
  hostilePlaces,
  hostileFlags,
  ...hostileCheckpoints,
  ...hostileWeights,
  hostileBundles,
];
const seen = new Map<HostileCase, SeenStep[]>();

afterAll(removeCompiled);

/** Pipes, devices, limits and mounts are as Linux has them; other systems say the same of the rest in other words. */
describe.each(sections)('$title', ({ cases }) => {
  it.skipIf(!canMount).each(cases)('$name', async (given) => {
    seen.set(given, await seeCase(given));
  });
});

it.skipIf(!canMount)('docs/hostile-input.md tells what was seen', async () => {
  const page = hostilePage(sections, (given) => seen.get(given) ?? []);
  await expect(page).toMatchFileSnapshot('../../docs/hostile-input.md');
});
