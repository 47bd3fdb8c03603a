import { element, faintInk, gridInk, svgDocument, textAt } from '../../../apps/cli/src/evaluate/plots/svg.js';
import { fixed } from '../view/spread-text.js';
import type { FleetMemory } from './measure-memory.js';

const [width, height] = [800, 360];
const frame = { left: 76, right: 772, top: 84, bottom: 304 };
const colours = ['#0969da', '#b35900', '#1a7f37', '#8250df'];
const MEBIBYTE = 2 ** 20;
const STEP = 100;

/** Memory of each process over committed rows, an SVG document. */
export function fleetMemoryPlot({ rows, series }: FleetMemory): string {
  const most = Math.max(...series.flatMap(({ samples }) => samples.map(({ bytes }) => bytes))) / MEBIBYTE;
  const top = Math.ceil(most / STEP) * STEP;
  const x = (done: number): number => frame.left + (done / rows) * (frame.right - frame.left);
  const y = (mebibytes: number): number => frame.bottom - (mebibytes / top) * (frame.bottom - frame.top);
  const title = `Memory of a fleet over ${fixed(rows, 0)} rows`;
  const description = series
    .map(
      ({ name, samples }) =>
        `${name}: at most ${fixed(Math.max(...samples.map(({ bytes }) => bytes)) / MEBIBYTE, 0)} MiB.`,
    )
    .join(' ');
  return svgDocument({ width, height, title, description }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(24, 54, 'MiB, each second, over the rows committed by then; a fleet without a model', {
      fill: faintInk,
    }),
    ...Array.from({ length: top / STEP + 1 }, (_, index) => index * STEP).flatMap((mebibytes) => [
      element('line', {
        x1: frame.left,
        x2: frame.right,
        y1: y(mebibytes),
        y2: y(mebibytes),
        stroke: gridInk,
      }),
      textAt(frame.left - 10, y(mebibytes) + 4, fixed(mebibytes, 0), {
        'text-anchor': 'end',
        fill: faintInk,
      }),
    ]),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) =>
      textAt(x(share * rows), frame.bottom + 22, fixed(share * rows, 0), {
        'text-anchor': share === 1 ? 'end' : 'middle',
      }),
    ),
    ...series.flatMap(({ name, samples }, index) => {
      const colour = colours[index % colours.length]!;
      return [
        element('polyline', {
          points: samples
            .map((sample) => `${x(sample.rows).toFixed(1)},${y(sample.bytes / MEBIBYTE).toFixed(1)}`)
            .join(' '),
          fill: 'none',
          stroke: colour,
          'stroke-width': 1.6,
        }),
        textAt(frame.left + index * 170, height - 14, name, { fill: colour, 'font-weight': 600 }),
      ];
    }),
  ]);
}
