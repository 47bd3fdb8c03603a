import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BenchCheckError } from '../checks.js';
import type { RowLabels } from '../variants/variant.js';
import { checkAgreement, checkRecorded, recordedAgreement } from './peer-checks.js';
import { recordedLabels } from './recorded-labels.js';

function labelled(...label: number[]): RowLabels {
  return { label: Uint16Array.from(label), exitLayer: new Uint8Array(label.length).fill(6) };
}

/** So many rows, of which so many have another label than 0. */
function rows(all: number, others: number): RowLabels {
  return labelled(...Array.from({ length: all }, (_, row) => (row < others ? 1 : 0)));
}

/** A hundred rows, of which a peer labels so many unlike Sluice. */
function against(others: number): Map<string, RowLabels> {
  return new Map([
    ['peer', rows(100, others)],
    ['label-full', rows(100, 0)],
  ]);
}

/** A line of a checkpoint's expectations. */
function expectation(text: string, ...probs: number[][]): string {
  return JSON.stringify({ text, exits: probs.map((probs, layer) => ({ layer, probs })) });
}

describe('checkAgreement', () => {
  it('lets two rows of a hundred differ, and no more', () => {
    expect(checkAgreement(against(2), 'label-full')).toEqual([
      'peer labels 98.00 % of the rows as label-full does',
    ]);
    expect(() => checkAgreement(against(3), 'label-full')).toThrow(BenchCheckError);
  });

  it('says so when there is nothing to compare with', () => {
    expect(checkAgreement(new Map([['peer', rows(3, 3)]]), 'label-full')).toEqual([
      expect.stringContaining('no labels were compared'),
    ]);
  });
});

describe('recorded labels', () => {
  it('are those of the last exit, and are found by the text', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-recorded-'));
    try {
      const lines = [expectation('one', [0.9, 0.1], [0.2, 0.8]), expectation('two', [0.1, 0.9], [0.7, 0.3])];
      await writeFile(join(folder, 'expected.jsonl'), `${lines.join('\n')}\n`);
      const recorded = await recordedLabels(folder);
      expect([...recorded]).toEqual([
        ['one', 1],
        ['two', 0],
      ]);
      expect(recordedAgreement(labelled(1, 1, 0), ['one', 'three', 'two'], recorded)).toBe(1);
      expect(recordedAgreement(labelled(1, 1, 1), ['one', 'three', 'two'], recorded)).toBe(0.5);
      expect(recordedAgreement(labelled(1), ['three'], recorded)).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('must come back from what computes in float32', () => {
    expect(() => checkRecorded({ name: 'pytorch-fp32', float32: true }, 0.995)).toThrow(BenchCheckError);
    checkRecorded({ name: 'pytorch-fp32', float32: true }, 1);
    checkRecorded({ name: 'pytorch-fp32', float32: true }, undefined);
    checkRecorded({ name: 'pytorch-int8', float32: false }, 0.995);
  });

  it('are none where the checkpoint records none', async () => {
    expect((await recordedLabels(join(tmpdir(), 'no-such-checkpoint'))).size).toBe(0);
  });
});
