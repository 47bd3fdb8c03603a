import { countText, shareText } from '../../terminal/quantity.js';
import type { EvaluatedPolicy, Evaluation } from '../evaluation.js';
import { shortName } from './label-places.js';
import { element, faintInk, svgDocument, textAt } from '#plot/svg.js';

const width = 800;
const [marginLeft, marginRight, top] = [110, 110, 118];
const [barHeight, barStep] = [26, 38];
const scale = width - marginLeft - marginRight;

/** Which share of the rows leaves at each exit, a stacked bar for each policy, an SVG document. */
export function leavingPlot(evaluation: Evaluation): string {
  const { policies, layers, model, exits } = evaluation;
  const title = `${model}: where texts leave`;
  const height = top + policies.length * barStep + 24;
  return svgDocument({ width, height, title, description: describe(policies) }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(
      24,
      54,
      `${countText(evaluation.rows - evaluation.rejected)} texts; each bar is all of them, cut by the exit where they leave`,
      { fill: faintInk },
    ),
    ...legend(
      exits.map(({ layer }) => layer),
      layers,
    ),
    textAt(marginLeft - 12, top - 10, 'policy', { 'text-anchor': 'end', fill: faintInk }),
    textAt(width - marginRight + 12, top - 10, 'layers a text', { fill: faintInk }),
    ...policies.flatMap((policy, index) => bar(policy, layers, top + index * barStep)),
  ]);
}

function bar({ name, exits, meanLayers }: EvaluatedPolicy, layers: number, y: number): string[] {
  const middle = y + barHeight / 2 + 4;
  let left = marginLeft;
  const segments = exits.flatMap(({ layer, share }) => {
    const [x, size] = [left, share * scale];
    left += size;
    if (share === 0) return [];
    const depth = layer / layers;
    const label = shareText(share);
    return [
      element('rect', {
        x,
        y,
        // A gap between segments, unless it would hide one.
        width: size > 4 ? size - 1 : size,
        height: barHeight,
        fill: colourOf(depth),
      }),
      ...(size > label.length * 7
        ? [
            textAt(x + size / 2, middle, label, {
              'text-anchor': 'middle',
              fill: depth > 0.45 ? '#ffffff' : '#0b2545',
            }),
          ]
        : []),
    ];
  });
  return [
    textAt(marginLeft - 12, middle, shortName(name), { 'text-anchor': 'end', 'font-weight': 600 }),
    ...segments,
    textAt(width - marginRight + 12, middle, meanLayers.toFixed(2)),
  ];
}

function legend(exitLayers: readonly number[], layers: number): string[] {
  const step = Math.min(64, (width - marginLeft - 24) / exitLayers.length);
  return [
    textAt(marginLeft - 12, 85, 'exit after layer', { 'text-anchor': 'end', fill: faintInk }),
    ...exitLayers.flatMap((layer, index) => [
      element('rect', {
        x: marginLeft + index * step,
        y: 74,
        width: 14,
        height: 14,
        rx: 2,
        fill: colourOf(layer / layers),
      }),
      textAt(marginLeft + index * step + 20, 85, String(layer)),
    ]),
  ];
}

/** Light at the embeddings, dark at the full depth; read without colours, too. */
function colourOf(depth: number): string {
  const [light, dark] = [
    [184, 217, 243],
    [12, 44, 92],
  ] as const;
  return `rgb(${light.map((from, channel) => Math.round(from + (dark[channel]! - from) * depth)).join(',')})`;
}

function describe(policies: readonly EvaluatedPolicy[]): string {
  return policies
    .map(({ name, exits, meanLayers }) => {
      const shares = exits
        .filter(({ rows }) => rows > 0)
        .map(({ layer, share }) => `${shareText(share)} at exit ${layer}`);
      return `Policy ${name}: ${shares.join(', ')}; ${meanLayers.toFixed(2)} layers a text.`;
    })
    .join(' ');
}
