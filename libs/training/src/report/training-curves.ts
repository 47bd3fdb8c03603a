import type { Axis } from '#plot/axes.js';
import { shareAxis, tickText } from '#plot/axes.js';
import { element, faintInk, gridInk, ink, svgDocument, textAt } from '#plot/svg.js';
import type { EpochEvent, StepEvent, TrainingEvent } from '../loop/training-events.js';

const width = 800;
const panelHeight = 220;
const panelGap = 56;
const [left, right, top, below] = [76, 716, 104, 64];
/** Points of a curve; more would be a smear. */
const MOST_POINTS = 400;
/** What stands around the figures on dev, so that equal ones have an axis. */
const LEAST_SPREAD = 0.005;
/** Weight of the newest loss in the smooth curve. */
const NEWEST = 0.05;
/** Of the exits from the first to the last: from light to dark, told apart without colour too. */
const colours = ['#8ec7f5', '#58a6ff', '#1f7ae0', '#0b57b4', '#b35900', '#8a3ffc', '#5b2a9c', '#24292f'];

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Curves of the loss, and of each exit's figure on dev where there is one, over the steps: an SVG document. */
export function trainingCurves(name: string, events: readonly TrainingEvent[]): string {
  const steps = events.filter((event): event is StepEvent => event.kind === 'step');
  const epochs = events.filter((event): event is EpochEvent => event.kind === 'epoch');
  const panels = epochs.length > 0 ? 2 : 1;
  const height = top + panels * panelHeight + (panels - 1) * panelGap + below;
  const last = steps.at(-1)?.step ?? 1;
  const x = shareAxis([0, last], left, right);
  const ends = Array.from(
    { length: panels },
    (_, index) => top + index * (panelHeight + panelGap) + panelHeight,
  );
  const title = `${name}: how it learned`;
  return svgDocument({ width, height, title, description: describe(steps, epochs) }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(24, 54, `${last.toLocaleString('en')} steps; the best epoch on dev is marked`, { fill: faintInk }),
    ...lossPanel(steps, x, ends[0]!),
    ...(epochs.length > 0 ? devPanel(epochs, x, ends[1]!) : []),
    ...x.ticks
      .filter((tick) => x.at(tick) <= right + 1)
      .map((tick) =>
        textAt(x.at(tick), height - below + 22, tick.toLocaleString('en'), {
          'text-anchor': 'middle',
          fill: faintInk,
        }),
      ),
    textAt((left + right) / 2, height - below + 46, 'steps', { 'text-anchor': 'middle', fill: ink }),
  ]);
}

function describe(steps: readonly StepEvent[], epochs: readonly EpochEvent[]): string {
  const losses = `Loss from ${steps[0]?.loss.toPrecision(3)} to ${smoothed(steps).at(-1)?.y.toPrecision(3)}.`;
  const dev = epochs.at(-1)?.dev.map(({ layer, share }) => `exit ${layer} ${share.toFixed(3)}`);
  return dev === undefined ? losses : `${losses} On dev after the last epoch: ${dev.join(', ')}.`;
}

function smoothed(steps: readonly StepEvent[]): Point[] {
  let mean = steps[0]?.loss ?? 0;
  return steps.map(({ step, loss }) => {
    mean += NEWEST * (loss - mean);
    return { x: step, y: mean };
  });
}

function lossPanel(steps: readonly StepEvent[], x: Axis, bottom: number): string[] {
  const smooth = thinned(smoothed(steps));
  const raw = thinned(steps.map(({ step, loss }) => ({ x: step, y: loss })));
  const y = shareAxis(
    [0, ...smooth.map((point) => point.y), ...raw.map((point) => point.y)],
    bottom,
    bottom - panelHeight,
  );
  return [
    ...frame('Loss', x, y, bottom, (tick) => Number(tick.toPrecision(3)).toString()),
    line(raw, x, y, { stroke: '#0969da', 'stroke-opacity': 0.25, 'stroke-width': 1 }),
    line(smooth, x, y, { stroke: '#0969da', 'stroke-width': 2 }),
  ];
}

function devPanel(epochs: readonly EpochEvent[], x: Axis, bottom: number): string[] {
  const layers = epochs[0]!.dev.map(({ layer }) => layer);
  const shown = thinned(epochs);
  const y = shareAxis(
    shown.flatMap(({ dev }) =>
      dev.flatMap(({ share }) => [share - LEAST_SPREAD, Math.min(1, share + LEAST_SPREAD)]),
    ),
    bottom,
    bottom - panelHeight,
  );
  // A log does not tell whether the dev corpus of a distillation has labels.
  const isDistilled = epochs[0]!.phase === 'distil';
  const title = isDistilled ? 'On dev, by exit: right, or as the last exit' : 'Right on dev, by exit';
  const step = (y.ticks[1] ?? 1) - (y.ticks[0] ?? 0);
  const best = epochs.findLast(({ isBest }) => isBest);
  const curves = layers.map((layer, index) => {
    const points = shown.map(({ step: at, dev }) => ({ x: at, y: dev[index]!.share }));
    const place = Math.round((index / Math.max(1, layers.length - 1)) * (colours.length - 1));
    return { layer, points, colour: colours[layers.length === 1 ? 2 : place]! };
  });
  const names = spread(
    curves.map(({ points }) => y.at(points.at(-1)!.y)),
    bottom,
  );
  return [
    ...frame(title, x, y, bottom, (tick) => tickText(tick, step)),
    ...(best === undefined
      ? []
      : [
          element('line', {
            x1: x.at(best.step),
            x2: x.at(best.step),
            y1: bottom - panelHeight,
            y2: bottom,
            stroke: faintInk,
            'stroke-dasharray': '3 3',
          }),
        ]),
    ...curves.flatMap(({ layer, points, colour }, index) => [
      line(points, x, y, { stroke: colour, 'stroke-width': 2 }),
      ...points.map((point) =>
        element('circle', { cx: x.at(point.x), cy: y.at(point.y), r: 3, fill: colour }),
      ),
      textAt(x.at(points.at(-1)!.x) + 10, names[index]! + 4, `exit ${layer}`, {
        fill: colour,
        'font-weight': 600,
      }),
    ]),
  ];
}

/** Heights of words so that none covers another. */
function spread(heights: readonly number[], bottom: number): number[] {
  const gap = 14;
  const order = [...heights.keys()].sort((a, b) => heights[b]! - heights[a]!);
  const placed = [...heights];
  let floor = bottom;
  for (const index of order) {
    placed[index] = Math.min(heights[index]!, floor);
    floor = placed[index] - gap;
  }
  return placed;
}

function frame(title: string, x: Axis, y: Axis, bottom: number, text: (tick: number) => string): string[] {
  return [
    textAt(left, bottom - panelHeight - 12, title, { 'font-weight': 600, 'font-size': 13 }),
    ...x.ticks
      .filter((tick) => x.at(tick) <= right + 1)
      .map((tick) =>
        element('line', {
          x1: x.at(tick),
          x2: x.at(tick),
          y1: bottom - panelHeight,
          y2: bottom,
          stroke: gridInk,
        }),
      ),
    ...y.ticks.flatMap((tick) => [
      element('line', { x1: left, x2: right, y1: y.at(tick), y2: y.at(tick), stroke: gridInk }),
      textAt(left - 10, y.at(tick) + 4, text(tick), { 'text-anchor': 'end', fill: faintInk }),
    ]),
  ];
}

function thinned<Item>(points: readonly Item[]): Item[] {
  const every = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

function line(
  points: readonly Point[],
  x: Axis,
  y: Axis,
  style: Readonly<Record<string, string | number>>,
): string {
  return element('polyline', {
    points: points.map((point) => `${x.at(point.x).toFixed(2)},${y.at(point.y).toFixed(2)}`).join(' '),
    fill: 'none',
    'stroke-linejoin': 'round',
    ...style,
  });
}
