import type { UncertainRow } from '#run/uncertain-row.js';
import { countText, fractionText } from '../words/quantity.js';
import { Table } from './table.js';

export function UncertainRows({ rows }: { readonly rows: readonly UncertainRow[] }) {
  const columns = [
    { name: 'Row', isNumber: true },
    { name: 'Text' },
    { name: 'Label' },
    { name: 'Confidence', isNumber: true },
    { name: 'Uncertainty', isNumber: true },
    { name: 'Exit', isNumber: true },
  ];
  return (
    <div class="uncertain">
      <Table
        caption="The least certain rows, the most uncertain first"
        isQuiet
        columns={columns}
        rows={rows.map(({ row, text, pair, labels, confidence, exitLayer, uncertainty }) => ({
          key: row,
          cells: [
            countText(row),
            <span class="text">
              {text}
              {pair !== undefined && (
                <>
                  <br />
                  <span class="note">and</span> {pair}
                </>
              )}
            </span>,
            labels.length === 0 ? 'none' : labels.join(', '),
            confidence === undefined ? '–' : fractionText(confidence),
            fractionText(uncertainty),
            String(exitLayer),
          ],
        }))}
      />
    </div>
  );
}
