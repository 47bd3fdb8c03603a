import type { Quality } from '#pipeline/report/quality.js';
import type { RunCounts } from '#run/run-counts.js';
import { countText, percentText } from '../words/quantity.js';
import { Facts } from './page.js';
import { Table } from './table.js';

/** Rows by label, the most frequent first. */
export function LabelTable({ counts: { labels, otherLabels, accepted } }: { readonly counts: RunCounts }) {
  const share = (rows: number): string => (accepted === 0 ? '–' : percentText(rows / accepted));
  const rows = labels.map(({ label, rows }) => ({
    key: label,
    cells: [<span class="breaks">{label}</span>, countText(rows), share(rows)],
  }));
  const others = { key: 'others', cells: ['all others', countText(otherLabels), share(otherLabels)] };
  return (
    <Table
      caption="Rows by label"
      isQuiet
      isNarrow
      columns={[{ name: 'Label' }, { name: 'Rows', isNumber: true }, { name: 'Share', isNumber: true }]}
      rows={otherLabels > 0 ? [...rows, others] : rows}
    />
  );
}

export function RejectTable({ counts: { rejectedByReason } }: { readonly counts: RunCounts }) {
  const rows = Object.entries(rejectedByReason).map(([reason, rows]) => ({
    key: reason,
    cells: [reason, countText(rows)],
  }));
  return (
    <Table
      caption="Rejected rows by reason"
      isQuiet
      isNarrow
      columns={[{ name: 'Reason' }, { name: 'Rows', isNumber: true }]}
      rows={rows}
    />
  );
}

/** Of a corpus that gives labels. */
export function QualityFacts({ quality: { accuracy, macroF1, rows } }: { readonly quality: Quality }) {
  if (rows === 0) return <p>No accuracy: the corpus gives no row a label that the model knows.</p>;
  return (
    <Facts
      of={[
        ['Accuracy', percentText(accuracy)],
        ['Macro-F1', macroF1.toFixed(3)],
        ['Rows with a label', countText(rows)],
      ]}
    />
  );
}
