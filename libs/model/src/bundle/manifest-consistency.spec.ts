import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inconsistency } from './manifest-consistency.js';
import type { Manifest } from './manifest.js';
import { manifestSchema } from './manifest.js';

const path = join(import.meta.dirname, '../../../../models/spam/bundle.json');
const good: Manifest = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
const [first, second, third] = good.stages;

const leaving = (...speeds: [speed: number, ...shares: number[]][]): Partial<Manifest> => ({
  quality: { ...good.quality!, leaving: speeds.map(([speed, ...shares]) => ({ speed, shares })) },
});

describe('inconsistency', () => {
  it('finds none in a bundle as compiled', () => {
    expect(inconsistency(good)).toBeUndefined();
  });

  it.each<[string, Partial<Manifest>]>([
    ['stages end at layer 2', { stages: [first!, second!] }],
    ['stage 2', { stages: [first!, third!] }],
    ['stage 1', { stages: [second!, third!] }],
    ['stage 2', { stages: [first!, first!, second!, third!] }],
    ['stage 2', { stages: [first!, { ...second!, exits: [1] }, third!] }],
    ['stage 1', { stages: [{ ...first!, exits: [] }, second!, third!] }],
    ['stage 3', { stages: [first!, second!, { ...third!, layers: [6, 3] }] }],
    ['exits must ascend', { exits: good.exits.slice(0, -1) }],
    ['exits must ascend', { exits: good.exits.toReversed() }],
    ['exits must ascend', { exits: [good.exits[0]!, ...good.exits] }],
    ['labels occur twice', { labels: ['spam', 'spam'] }],
    ['maxLength is 513', { maxLength: 513 }],
    ['cannot be float16', { activation: 'float16' }],
    [
      'preset fast has no threshold for exit 6',
      { presets: { fast: { thresholds: { '0': 0.1, '1': 0, '2': 0, '3': 0, '4': 0, '5': 0 } } } },
    ],
    ['at speed 0.2 texts leave at 2 exits of 7', leaving([0.2, 0.5, 0.5])],
    ['do not ascend', leaving([0.2, 1, 0, 0, 0, 0, 0, 0], [0.1, 0, 0, 0, 0, 0, 0, 1])],
  ])('says: %s', (problem, change) => {
    expect(inconsistency({ ...good, ...change })).toContain(problem);
  });
});
