import type { Metrics } from '#metrics/metrics.js';
import type { Manifest } from '#model/bundle/manifest.js';
import { sum } from '#pipeline/report/counts.js';
import type { Tally } from '#pipeline/report/tally.js';
import { uncertaintyBins } from '#pipeline/report/tally.js';

/** Shows the counts of a model before it has any rows. */
export function beginCounting(metrics: Metrics, model: string, { exits }: Pick<Manifest, 'exits'>): void {
  for (const outcome of ['labelled', 'rejected']) metrics.begin('rows_total', { model, outcome });
  for (const { layer } of exits) {
    for (const name of ['exit_total', 'exit_expected_total', 'uncertainty'] as const) {
      metrics.begin(name, { model, layer: String(layer) });
    }
  }
}

/**
 * Counts what was committed between two tallies of a run: what the metrics count is what the report counts.
 * @param expected share of the rows that should leave at each exit, by layer, where the bundle says so
 */
export function countCommitted(
  metrics: Metrics,
  model: string,
  before: Tally,
  now: Tally,
  expected: ReadonlyMap<number, number> | undefined,
): void {
  const labelled = now.accepted - before.accepted;
  const rejected = now.rows - now.accepted - (before.rows - before.accepted);
  if (labelled > 0) metrics.count('rows_total', { model, outcome: 'labelled' }, labelled);
  if (rejected > 0) metrics.count('rows_total', { model, outcome: 'rejected' }, rejected);
  for (const [layer, share] of expected ?? []) {
    metrics.count('exit_expected_total', { model, layer: String(layer) }, labelled * share);
  }
  for (const { layer, uncertainty } of now.exits) {
    const earlier = before.exits.find((exit) => exit.layer === layer)?.uncertainty ?? [];
    const labels = { model, layer: String(layer) };
    const rows = sum(uncertainty) - sum(earlier);
    if (rows > 0) metrics.count('exit_total', labels, rows);
    for (const [bin, count] of uncertainty.entries()) {
      // In the middle of the bin, so that no rounding moves it to the next.
      const value = (bin + 0.5) / uncertaintyBins;
      metrics.observe('uncertainty', labels, value, count - (earlier[bin] ?? 0));
    }
  }
}
