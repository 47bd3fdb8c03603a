import type { RunCounts } from '#run/run-counts.js';
import { countText, percentText } from '../words/quantity.js';
import { Table } from './table.js';

/** Rows by the exit where they left, with bars. @param layers of the model's exits, ascending */
export function ExitTable({
  layers,
  counts,
}: {
  readonly layers: readonly number[];
  readonly counts: Pick<RunCounts, 'accepted' | 'exits'>;
}) {
  let soFar = 0;
  const rows = layers.map((layer) => {
    const left = counts.exits.find((exit) => exit.layer === layer)?.rows ?? 0;
    soFar += left;
    const share = counts.accepted === 0 ? 0 : left / counts.accepted;
    const all = counts.accepted === 0 ? 0 : soFar / counts.accepted;
    return {
      key: layer,
      cells: [
        layer === 0 ? '0 (embeddings)' : String(layer),
        countText(left),
        percentText(share),
        percentText(all),
        <div class="bar" aria-hidden="true">
          <div style={{ width: `${share * 100}%` }} />
        </div>,
      ],
    };
  });
  const columns = [
    { name: 'Exit after layer' },
    { name: 'Rows', isNumber: true },
    { name: 'Share', isNumber: true },
    { name: 'So far', isNumber: true },
    { name: 'Picture' },
  ];
  return (
    <div class="exits">
      <Table caption="Rows by the exit where they left" isQuiet isNarrow columns={columns} rows={rows} />
    </div>
  );
}
