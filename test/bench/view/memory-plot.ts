import { element, faintInk, gridInk, svgDocument, textAt } from '#plot/svg.js';
import { fixed } from './spread-text.js';

const [width, height] = [800, 360];
const frame = { left: 76, right: 772, top: 84, bottom: 304 };
const colours = ['#0969da', '#b35900', '#1a7f37', '#8250df'];
const MEBIBYTE = 2 ** 20;

/** Memory as rows are committed. */
export interface MemoryLine {
  readonly name: string;
  readonly samples: readonly { readonly rows: number; readonly bytes: number }[];
}

export interface MemoryPicture {
  readonly title: string;
  /** Behind what is measured. */
  readonly note?: string | undefined;
  /** At the right end. */
  readonly rows: number;
  readonly lines: readonly MemoryLine[];
}

/** Memory over committed rows, an SVG document; undefined without lines. */
export function memoryPlot({ title, note = '', rows: mostRows, lines }: MemoryPicture): string | undefined {
  if (lines.length === 0) return undefined;
  const peaks = lines.map(({ samples }) => Math.max(0, ...samples.map(({ bytes }) => bytes)) / MEBIBYTE);
  const step = stepFor(Math.max(...peaks));
  const steps = Math.ceil(Math.max(...peaks) / step);
  const x = (rows: number): number => frame.left + (rows / mostRows) * (frame.right - frame.left);
  const y = (mebibytes: number): number =>
    frame.bottom - (mebibytes / (steps * step)) * (frame.bottom - frame.top);
  const description = lines
    .map(({ name }, index) => `${name}: at most ${fixed(peaks[index]!, 0)} MiB.`)
    .join(' ');
  return svgDocument({ width, height, title, description }, [
    textAt(24, 34, title, { 'font-size': 17, 'font-weight': 600 }),
    textAt(24, 54, `MiB, each second, over the rows committed by then${note}`, { fill: faintInk }),
    ...Array.from({ length: steps + 1 }, (_, index) => index * step).flatMap((mebibytes) => [
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
      textAt(x(share * mostRows), frame.bottom + 22, fixed(share * mostRows, 0), {
        'text-anchor': share === 1 ? 'end' : 'middle',
      }),
    ),
    ...lines.flatMap(({ name, samples }, index) => {
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

/** Four to eight grid lines at 1, 2 or 5 times a power of ten. */
function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return power * ([1, 2, 5].findLast((factor) => factor * power <= most / 4) ?? 1);
}
