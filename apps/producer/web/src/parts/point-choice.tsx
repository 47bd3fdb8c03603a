import type { Point } from '../new-run/points.js';
import { pointName } from '../new-run/points.js';
import { percentText } from '../words/quantity.js';
import { Table } from './table.js';

/** Points of the curve as a table; with `onChoose`, one of them is chosen there. */
export function PointChoice({
  points,
  chosen,
  onChoose,
}: {
  readonly points: readonly Point[];
  readonly chosen?: string | undefined;
  readonly onChoose?: (name: string) => void;
}) {
  const isAccuracy = points[0]?.measure === 'accuracy';
  const columns = [
    { name: 'Point' },
    { name: isAccuracy ? 'Accuracy' : 'As at full depth', isNumber: true },
    { name: 'Layers a text', isNumber: true },
    { name: 'Cost of full depth', isNumber: true },
  ];
  const rows = points.map((point) => ({
    key: point.name,
    isChosen: point.name === chosen,
    cells: [
      onChoose === undefined ? (
        pointName(point)
      ) : (
        <label class="choice">
          <input
            type="radio"
            name="point"
            checked={point.name === chosen}
            onChange={() => onChoose(point.name)}
          />
          {pointName(point)}
        </label>
      ),
      point.quality === undefined ? 'not measured' : percentText(point.quality),
      point.meanLayers === undefined ? 'not measured' : point.meanLayers.toFixed(2),
      point.cost === undefined ? 'not measured' : percentText(point.cost),
    ],
  }));
  return <Table caption="Points of speed and accuracy" isQuiet isNarrow columns={columns} rows={rows} />;
}
