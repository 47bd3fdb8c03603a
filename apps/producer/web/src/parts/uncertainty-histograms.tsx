import type { RunCounts } from '#run/run-counts.js';
import { countText } from '../words/quantity.js';
import { Table } from './table.js';

const WIDTH = 200;
const HEIGHT = 56;

type Exit = RunCounts['exits'][number];

/** Rows by uncertainty, one picture for each exit where a row left; there is one. */
export function UncertaintyHistograms({ exits }: { readonly exits: readonly Exit[] }) {
  return (
    <>
      <div class="histograms">
        {exits.map((exit) => (
          <Histogram key={exit.layer} exit={exit} />
        ))}
      </div>
      <details>
        <summary>The same as a table</summary>
        <HistogramTable exits={exits} />
      </details>
    </>
  );
}

function Histogram({ exit: { layer, rows, uncertainty } }: { readonly exit: Exit }) {
  const most = Math.max(...uncertainty, 1);
  const wide = WIDTH / uncertainty.length;
  return (
    <figure>
      <figcaption>
        Exit {layer}{' '}
        <span class="note">
          {countText(rows)} rows, at most {countText(most)} in a bar
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 14}`} aria-hidden="true">
        <line class="axis" x1={0} x2={WIDTH} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
        {uncertainty.map((count, bin) => {
          // A single row among thousands shall be seen.
          const high = count === 0 ? 0 : Math.max((count / most) * HEIGHT, 1.5);
          return (
            <rect
              key={bin}
              class="count"
              x={bin * wide + 0.5}
              y={HEIGHT - high}
              width={wide - 1}
              height={high}
            />
          );
        })}
        <text x={0} y={HEIGHT + 12}>
          0 sure
        </text>
        <text x={WIDTH} y={HEIGHT + 12} text-anchor="end">
          unsure 1
        </text>
      </svg>
    </figure>
  );
}

function HistogramTable({ exits }: { readonly exits: readonly Exit[] }) {
  const bins = exits[0]?.uncertainty.length ?? 0;
  const columns = [
    { name: 'Uncertainty' },
    ...exits.map(({ layer }) => ({ name: `Exit ${layer}`, isNumber: true })),
  ];
  const rows = Array.from({ length: bins }, (_, bin) => ({
    key: bin,
    cells: [
      `${(bin / bins).toFixed(2)}–${((bin + 1) / bins).toFixed(2)}`,
      ...exits.map(({ uncertainty }) => countText(uncertainty[bin] ?? 0)),
    ],
  }));
  return <Table caption="Rows by uncertainty and exit" columns={columns} rows={rows} />;
}
