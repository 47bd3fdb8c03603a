import { useState } from 'preact/hooks';
import type { UncertainRow } from '#run/uncertain-row.js';
import { countText, fractionText } from '../words/quantity.js';
import { Table } from './table.js';

/** Rows that are shown before somebody asks for all. */
const SHOWN = 15;

export function UncertainRows({ rows }: { readonly rows: readonly UncertainRow[] }) {
  const [showsAll, setShowsAll] = useState(false);
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
        rows={(showsAll ? rows : rows.slice(0, SHOWN)).map(
          ({ row, text, pair, labels, confidence, exitLayer, uncertainty }) => ({
            key: row,
            cells: [
              countText(row),
              <>
                {text}
                {pair !== undefined && (
                  <>
                    <br />
                    <span class="note">and</span> {pair}
                  </>
                )}
              </>,
              <span class="breaks">{labels.length === 0 ? 'none' : labels.join(', ')}</span>,
              confidence === undefined ? '–' : fractionText(confidence),
              fractionText(uncertainty),
              String(exitLayer),
            ],
          }),
        )}
      />
      {!showsAll && rows.length > SHOWN && (
        <p>
          <button type="button" onClick={() => setShowsAll(true)}>
            Show all {rows.length}
          </button>
        </p>
      )}
    </div>
  );
}
