import type { Proportion } from '#pipeline/evaluation/proportion.js';
import { countText, shareText } from '../../terminal/quantity.js';
import type { Evaluation } from '../evaluation.js';
import type { Axis } from '#plot/axes.js';
import { savedAxis, shareAxis, tickText } from '#plot/axes.js';
import type { Box } from './label-places.js';
import { labelPlaces, shortName } from './label-places.js';
import { element, faintInk, gridInk, ink, svgDocument, textAt } from '#plot/svg.js';

interface Series {
  readonly title: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

interface Point {
  readonly name: string;
  readonly saved: number;
  readonly value: Proportion;
}

const width = 800;
const panelHeight = 240;
const panelGap = 56;
const [marginLeft, marginRight, marginTop, marginBottom] = [76, 28, 100, 84];

/** Accuracy and agreement with the full depth over the work that each policy saves, an SVG document. */
export function qualityPlot(evaluation: Evaluation): string {
  const series = seriesOf(evaluation);
  const saved = evaluation.policies.map(({ work }) => work.saved);
  const x = savedAxis(saved, marginLeft, width - marginRight);
  const height = marginTop + series.length * panelHeight + (series.length - 1) * panelGap + marginBottom;
  const panels = series.map((one, index) => {
    const top = marginTop + index * (panelHeight + panelGap);
    return panel(one, x, {
      left: marginLeft,
      right: width - marginRight,
      top,
      bottom: top + panelHeight,
    });
  });
  const title = `${evaluation.model}: quality over work saved`;
  return svgDocument({ width, height, title, description: describe(series) }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(24, 54, subtitle(evaluation), { fill: faintInk }),
    ...panels,
    ...savedLabels(x, height - marginBottom),
  ]);
}

function subtitle({ rows, rejected, corpus }: Evaluation): string {
  const name = corpus[0]?.split(/[/\\]/).at(-1);
  const others = corpus.length > 1 ? ` and ${countText(corpus.length - 1)} more` : '';
  return `${countText(rows - rejected)} texts of ${name}${others}; bands and bars are 95 % intervals, labels are speeds and presets`;
}

/** Points from the least saved to the most. */
function seriesOf({ policies }: Evaluation): Series[] {
  const pointsOf = (valueOf: (policy: Evaluation['policies'][number]) => Proportion | undefined): Point[] =>
    policies
      .flatMap((policy) => {
        const value = valueOf(policy);
        return value === undefined ? [] : [{ name: policy.name, saved: policy.work.saved, value }];
      })
      .sort((a, b) => a.saved - b.saved);
  return [
    { title: 'Accuracy', colour: '#0969da', points: pointsOf(({ accuracy }) => accuracy) },
    {
      title: 'Same label as at full depth',
      colour: '#b35900',
      points: pointsOf(({ agreement }) => agreement),
    },
  ].filter(({ points }) => points.length > 0);
}

function panel({ title, colour, points }: Series, x: Axis, frame: Box): string {
  const y = shareAxis(
    points.flatMap(({ value }) => [value.low, value.high]),
    frame.bottom,
    frame.top,
  );
  const placed = points.map(({ name, saved, value }) => ({
    text: shortName(name),
    x: x.at(saved),
    y: y.at(value.share),
    value,
  }));
  const upper = placed.map(({ x, value }) => [x, y.at(value.high)] as const);
  const lower = placed.map(({ x, value }) => [x, y.at(value.low)] as const);
  const labels = labelPlaces(placed, frame);
  return element(
    'g',
    {},
    ...grid(x, y, frame),
    textAt(frame.left, frame.top - 12, title, { 'font-weight': 600, fill: colour, 'font-size': 13 }),
    element('polygon', {
      points: pointList([...upper, ...lower.toReversed()]),
      fill: colour,
      'fill-opacity': 0.13,
    }),
    element('polyline', {
      points: pointList(placed.map(({ x, y }) => [x, y])),
      fill: 'none',
      stroke: colour,
      'stroke-width': 2,
      'stroke-linejoin': 'round',
    }),
    ...placed.map(({ x, value }) =>
      element('line', {
        x1: x,
        x2: x,
        y1: y.at(value.low),
        y2: y.at(value.high),
        stroke: colour,
        'stroke-opacity': 0.55,
      }),
    ),
    ...placed.flatMap(({ x, y }, index) => {
      const { led, ...label } = labels[index]!;
      const end = label.y < y ? label.y + 4 : label.y - 11;
      return led
        ? [element('line', { x1: x, y1: y, x2: label.x, y2: end, stroke: faintInk, 'stroke-width': 0.6 })]
        : [];
    }),
    ...placed.map(({ x, y }) =>
      element('circle', { cx: x, cy: y, r: 4, fill: colour, stroke: '#ffffff', 'stroke-width': 1.2 }),
    ),
    ...placed.map(({ text }, index) =>
      textAt(labels[index]!.x, labels[index]!.y, text, {
        'text-anchor': 'middle',
        'font-weight': 600,
        stroke: '#ffffff',
        'stroke-width': 3,
        'stroke-linejoin': 'round',
        'paint-order': 'stroke',
      }),
    ),
  );
}

/** Points as `polyline` and `polygon` take them. */
function pointList(points: readonly (readonly [number, number])[]): string {
  return points.map((point) => point.map((value) => value.toFixed(2)).join(',')).join(' ');
}

function grid(x: Axis, y: Axis, frame: Box): string[] {
  const step = (y.ticks[1] ?? 1) - (y.ticks[0] ?? 0);
  return [
    ...x.ticks.map((share) =>
      element('line', { x1: x.at(share), x2: x.at(share), y1: frame.top, y2: frame.bottom, stroke: gridInk }),
    ),
    ...y.ticks.flatMap((share) => [
      element('line', { x1: frame.left, x2: frame.right, y1: y.at(share), y2: y.at(share), stroke: gridInk }),
      textAt(frame.left - 10, y.at(share) + 4, tickText(share, step), {
        'text-anchor': 'end',
        fill: faintInk,
      }),
    ]),
  ];
}

/** Below the last panel: shares of work saved, and what they mean as a factor. */
function savedLabels(x: Axis, top: number): string[] {
  return [
    ...x.ticks.flatMap((share) => [
      textAt(x.at(share), top + 20, `${Number((share * 100).toFixed(1))} %`, { 'text-anchor': 'middle' }),
      textAt(x.at(share), top + 36, `1/${Number((1 / (1 - share)).toFixed(1))}`, {
        'text-anchor': 'middle',
        fill: faintInk,
        'font-size': 11,
      }),
    ]),
    textAt(
      (marginLeft + width - marginRight) / 2,
      top + 62,
      'work saved, and what is left of it: FLOPs against the same model without early exits, log scale',
      { 'text-anchor': 'middle', fill: ink },
    ),
  ];
}

function describe(series: readonly Series[]): string {
  return series
    .map(({ title, points }) => {
      const values = points.map(
        ({ name, saved, value }) =>
          `${name}: ${shareText(value.share)} (${shareText(value.low)} to ${shareText(value.high)}) with ${shareText(saved)} saved`,
      );
      return `${title}. ${values.join('; ')}.`;
    })
    .join(' ');
}
