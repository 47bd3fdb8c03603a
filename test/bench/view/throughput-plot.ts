import { element, faintInk, gridInk, ink, svgDocument, textAt } from '#plot/svg.js';
import type { VariantSummary } from '../summary.js';
import { spreadText } from './spread-text.js';

const width = 800;
const [left, right, top] = [300, 190, 76];
const [barHeight, barStep] = [22, 32];

/** Texts per second of each variant, bars with least and most, an SVG document; undefined without variants. */
export function throughputPlot(variants: readonly VariantSummary[]): string | undefined {
  if (variants.length === 0) return undefined;
  const most = Math.max(...variants.map(({ textsPerSecond }) => textsPerSecond.most));
  const at = (rate: number): number => left + (rate / most) * (width - left - right);
  const title = 'Texts per second';
  const height = top + variants.length * barStep + 20;
  const description = variants
    .map(({ title, textsPerSecond }) => `${title}: ${spreadText(textsPerSecond, 0)}.`)
    .join(' ');
  return svgDocument({ width, height, title, description }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(24, 54, 'medians over the rounds; whiskers from the least to the most', { fill: faintInk }),
    ...variants.flatMap((variant, index) => bar(variant, at, top + index * barStep)),
    element('line', { x1: left, x2: left, y1: top - 6, y2: height - 16, stroke: gridInk }),
  ]);
}

function bar(
  { variant, title, textsPerSecond }: VariantSummary,
  at: (rate: number) => number,
  y: number,
): string[] {
  const { median, least, most } = textsPerSecond;
  const middle = y + barHeight / 2;
  const whisker = { stroke: ink, 'stroke-width': 1.2 };
  return [
    textAt(left - 12, middle + 4, title, { 'text-anchor': 'end' }),
    element('rect', {
      x: left,
      y,
      width: at(median) - left,
      height: barHeight,
      rx: 2,
      fill: colourOf(variant),
    }),
    element('line', { x1: at(least), x2: at(most), y1: middle, y2: middle, ...whisker }),
    ...[least, most].map((end) =>
      element('line', { x1: at(end), x2: at(end), y1: middle - 5, y2: middle + 5, ...whisker }),
    ),
    textAt(at(most) + 10, middle + 4, spreadText(textsPerSecond, 0), { 'font-weight': 600 }),
  ];
}

/** Roofs grey, the engine and peers blue, the whole command orange. */
function colourOf(variant: string): string {
  if (variant.startsWith('roof-')) return '#afb8c1';
  return variant.startsWith('label-') || variant.startsWith('sluice-') ? '#e8853d' : '#4c8ed9';
}
