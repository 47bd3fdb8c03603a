import type { Point } from '../new-run/points.js';
import { pointName } from '../new-run/points.js';
import { percentText } from '../words/quantity.js';

const WIDTH = 480;
const HEIGHT = 240;
const LEFT = 62;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 40;
/** Half of the range of quality where all points have the same. */
const LEAST_SPAN = 0.005;

type Placed = Point & { readonly cost: number; readonly quality: number };

/** Quality over cost, both of which the table beside it says in numbers. */
export function CurveChart({
  points,
  chosen,
  onChoose,
}: {
  readonly points: readonly Point[];
  readonly chosen?: string | undefined;
  readonly onChoose?: (name: string) => void;
}) {
  const placed = points.filter(
    (point): point is Placed => point.cost !== undefined && point.quality !== undefined && point.cost > 0,
  );
  if (placed.length < 2) return null;
  const x = logScale(placed.map(({ cost }) => cost));
  const y = linearScale(placed.map(({ quality }) => quality));
  const measure = placed[0]!.measure === 'accuracy' ? 'Accuracy' : 'Labels as at full depth';
  const line = placed.map((point) => `${x.at(point.cost)},${y.at(point.quality)}`).join(' ');
  return (
    <svg
      class="curve"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${measure} over cost; the same is in the table`}
    >
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y.at(tick)} y2={y.at(tick)} />
          <text x={LEFT - 6} y={y.at(tick) + 4} text-anchor="end">
            {(tick * 100).toFixed(1)} %
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text key={tick} x={x.at(tick)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
          {tick * 100} %
        </text>
      ))}
      <line class="axis" x1={LEFT} x2={WIDTH - RIGHT} y1={HEIGHT - BOTTOM + 0.5} y2={HEIGHT - BOTTOM + 0.5} />
      <text x={WIDTH - RIGHT} y={HEIGHT - 6} text-anchor="end">
        cost of full depth (logarithmic)
      </text>
      <text x={0} y={HEIGHT - 6}>
        {measure}
      </text>
      <polyline class="line" points={line} />
      {placed.map((point) => (
        <circle
          key={point.name}
          class={point.name === chosen ? 'point chosen' : 'point'}
          cx={x.at(point.cost)}
          cy={y.at(point.quality)}
          r={point.name === chosen ? 7 : 4.5}
          onClick={() => onChoose?.(point.name)}
        >
          <title>
            {pointName(point)}: {percentText(point.quality)} at {percentText(point.cost)}
          </title>
        </circle>
      ))}
    </svg>
  );
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function logScale(values: readonly number[]): Scale {
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(1, ...values) * 1.15;
  const span = Math.log10(high / low);
  const ticks: number[] = [];
  for (let tick = low; tick <= high; tick *= 10) ticks.push(Number(tick.toPrecision(1)));
  return { at: (value) => LEFT + (Math.log10(value / low) / span) * (WIDTH - LEFT - RIGHT), ticks };
}

function linearScale(values: readonly number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((most - least) * 0.15, LEAST_SPAN);
  const [low, high] = [least - margin, most + margin];
  const ticks = [0, 1, 2, 3].map((index) => least + ((most - least) * index) / 3);
  return {
    at: (value) => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM),
    ticks: [...new Set(ticks)],
  };
}
