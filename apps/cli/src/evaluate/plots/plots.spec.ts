import { describe, expect, it } from 'vitest';
import { Parser } from 'htmlparser2';
import { exitFigures, policyFigures } from '#pipeline/evaluation/policy-figures.js';
import type { OpinionColumns } from '#pipeline/evaluation/opinion-columns.js';
import { goldColumn } from '#pipeline/evaluation/opinion-columns.js';
import type { Evaluation } from '../evaluation.js';
import { leavingPlot } from './leaving-plot.js';
import { qualityPlot } from './quality-plot.js';

const labels = ['ham', 'spam'];
const shape = {
  layers: 2,
  hiddenSize: 4,
  intermediateSize: 8,
  classes: 2,
  exits: [0, 2].map((layer) => ({ layer, kind: 'fastbert', size: 2, heads: 1 }) as const),
};

function evaluation(model: string, golds: readonly string[] | undefined): Evaluation {
  const opinions: OpinionColumns = {
    rows: 4,
    lengths: Int32Array.of(3, 4, 5, 6),
    golds: goldColumn(golds, 4, labels),
    exits: [
      { layer: 0, label: Uint16Array.of(0, 0, 1, 1), uncertainty: Float32Array.of(0.1, 0.3, 0.1, 0.9) },
      { layer: 2, label: Uint16Array.of(0, 1, 1, 1), uncertainty: new Float32Array(4) },
    ],
  };
  const policies = [0, 0.2, 0.4].map((speed) => ({
    name: String(speed),
    thresholds: {},
    positive: undefined,
    textsPerSecond: undefined,
    ...policyFigures(
      opinions,
      new Map([
        [0, speed],
        [2, speed],
      ]),
      shape,
      labels,
    ),
  }));
  return {
    corpus: ['mails.jsonl'],
    model,
    bundle: '',
    fingerprint: '',
    rows: 4,
    rejected: 0,
    rejectedByReason: {},
    truncated: 0,
    tokens: 18,
    labels,
    layers: 2,
    exits: exitFigures(opinions),
    policies,
    timing: undefined,
  };
}

/** Texts by element, and all attributes. */
function read(svg: string): { texts: Map<string, string[]>; attributes: [string, string][] } {
  const texts = new Map<string, string[]>();
  const attributes: [string, string][] = [];
  const open: string[] = [];
  const parser = new Parser(
    {
      onopentag(name, found) {
        open.push(name);
        attributes.push(...Object.entries(found));
      },
      ontext(text) {
        const name = open.at(-1) ?? '';
        texts.set(name, [...(texts.get(name) ?? []), text]);
      },
      onclosetag(name) {
        expect(open.pop()).toBe(name);
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(svg);
  parser.end();
  return { texts, attributes };
}

const gold = ['ham', 'spam', 'spam', 'ham'];

describe.each([
  { name: 'quality', plot: qualityPlot },
  { name: 'leaving', plot: leavingPlot },
])('the $name plot', ({ plot }) => {
  it('is a closed document without scripts, links or numbers that are none', () => {
    const svg = plot(evaluation('spam', gold));
    expect(svg.match(/<[a-z]/g)?.length).toBe(svg.match(/<\/[a-z]|\/>/g)?.length);
    const { attributes } = read(svg);
    for (const [name, value] of attributes) {
      expect(name).not.toMatch(/^on|href/);
      expect(value).not.toMatch(/NaN|Infinity|undefined|url\(/);
    }
  });

  it('names every policy and tells its figures to a screen reader', () => {
    const { texts } = read(plot(evaluation('spam', gold)));
    expect(texts.get('text')).toEqual(expect.arrayContaining(['0', '0.2', '0.4']));
    expect(texts.get('title')?.join()).toContain('spam');
    // Half the rows leave at speed 0.2, three quarters at 0.4.
    expect(texts.get('desc')?.join()).toMatch(
      plot === leavingPlot ? /0\.4: 75\.0 % at exit 0/ : /0\.4: 50\.0 %/,
    );
  });

  it('writes names as text, whatever is in them', () => {
    const hostile = '<script>alert("1")</script>&\u0000';
    const { texts } = read(plot(evaluation(hostile, gold)));
    expect(texts.has('script')).toBe(false);
    expect(texts.get('title')?.join('')).toContain('<script>alert("1")</script>&\ufffd');
  });
});

it('has no panel of accuracy without labels', () => {
  expect(qualityPlot(evaluation('spam', gold))).toContain('>Accuracy<');
  expect(qualityPlot(evaluation('spam', undefined))).not.toContain('>Accuracy<');
});
