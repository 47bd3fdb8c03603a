import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Golden } from './golden.js';
import { goldenInconsistency, goldenSchema } from './golden.js';
import type { Manifest } from './manifest.js';
import { manifestSchema } from './manifest.js';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../../models/spam', name), 'utf8'));
const manifest: Manifest = manifestSchema.parse(read('bundle.json'));
const golden: Golden = goldenSchema.parse(read('golden.json'));
const [first, ...others] = golden.texts;

it('finds nothing amiss in a bundle as compiled', () => {
  expect(goldenInconsistency(golden, manifest)).toBeUndefined();
});

it.each<[string, Golden['texts']]>([
  ['it has no texts', []],
  ['it has exits none; the bundle has 0, 1, 2, 3, 4, 5, 6', [{ ...first!, exits: [] }, ...others]],
  ['it has exits 0, 1, 2, 3, 4, 5; the bundle', [{ ...first!, exits: first!.exits.slice(0, -1) }]],
  [
    'it has exits 9, 1,',
    [first!, { ...first!, exits: first!.exits.with(0, { ...first!.exits[0]!, layer: 9 }) }],
  ],
  [
    'has 1 probabilities for 2 labels',
    [{ ...first!, exits: first!.exits.with(2, { ...first!.exits[2]!, probabilities: [1] }) }],
  ],
])('says: %s', (problem, texts) => {
  expect(goldenInconsistency({ ...golden, texts }, manifest)).toContain(problem);
});
