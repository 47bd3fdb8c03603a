import type { StageView } from '../../../src/queue-gauges.js';
import { countText, durationText, percentText } from '../words/quantity.js';
import { Table } from './table.js';

/** What waits at each stage, who works there, and how full the batches are. */
export function StageTable({
  stages,
  withModel = false,
}: {
  readonly stages: readonly StageView[];
  readonly withModel?: boolean;
}) {
  if (stages.length === 0) return <p class="note">Nothing is known of the stages now.</p>;
  const columns = [
    { name: 'Stage' },
    { name: 'Workers', isNumber: true },
    { name: 'Jobs waiting', isNumber: true },
    { name: 'Jobs active', isNumber: true },
    { name: 'Oldest waits', isNumber: true },
    { name: 'Backlog', isNumber: true },
    { name: 'Rows a batch', isNumber: true },
    { name: 'Batch fill', isNumber: true },
    { name: 'Time a row', isNumber: true },
  ];
  const rows = stages.map((stage) => ({
    key: `${stage.model} ${stage.stage}`,
    cells: [
      <>
        {withModel ? `${stage.model}, ` : ''}
        {stage.stage}: {layersText(stage)}
      </>,
      stage.workers === 0 ? <strong>none</strong> : countText(stage.workers),
      countText(stage.jobs.waiting),
      countText(stage.jobs.active),
      stage.oldestSeconds === 0 ? '–' : durationText(stage.oldestSeconds),
      stage.backlogSeconds === 0 ? '–' : durationText(stage.backlogSeconds),
      stage.rowsPerBatch === undefined ? '–' : stage.rowsPerBatch.toFixed(1),
      stage.batchFill === undefined ? '–' : percentText(stage.batchFill),
      stage.secondsPerRow === undefined ? '–' : `${(stage.secondsPerRow * 1000).toPrecision(2)} ms`,
    ],
  }));
  return <Table caption="Stages of the model" isQuiet columns={columns} rows={rows} />;
}

function layersText({ layers }: StageView): string {
  if (layers === null) return 'embeddings';
  return layers[0] === layers[1] ? `layer ${layers[0]}` : `layers ${layers[0]}–${layers[1]}`;
}
