import type { ModelView } from '../../../src/model-desk.js';
import { usePolled } from '../live/use-polled.js';
import { Page, Problem } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { countText, percentText } from '../words/quantity.js';

const EVERY_MS = 5000;

export function ModelsPage() {
  const { data, problem } = usePolled<{ models: ModelView[] }>('/v1/models', EVERY_MS);
  return (
    <Page title="Models">
      {problem !== undefined && <Problem>{problem.message}</Problem>}
      {data !== undefined && (
        <div class="panel">
          {data.models.length === 0 ? <p>There are no models yet.</p> : <ModelTable models={data.models} />}
        </div>
      )}
    </Page>
  );
}

function ModelTable({ models }: { readonly models: readonly ModelView[] }) {
  const columns = [
    { name: 'Model' },
    { name: 'Version', isNumber: true },
    { name: 'Answers' },
    { name: 'Precision' },
    { name: 'Layers', isNumber: true },
    { name: 'Accuracy at full depth', isNumber: true },
    { name: 'Workers by stage' },
  ];
  const rows = models.map((model) => {
    const accuracy = model.quality?.exits.at(-1)?.accuracy;
    return {
      key: model.name,
      cells: [
        <a href={`/models/${encodeURIComponent(model.name)}`}>{model.name}</a>,
        String(model.version),
        <span class="breaks">{answersText(model)}</span>,
        model.precision,
        String(model.layers),
        accuracy === undefined ? '–' : percentText(accuracy),
        model.stages.map(({ workers }) => countText(workers)).join(', '),
      ],
    };
  });
  return <Table caption="Models" isQuiet columns={columns} rows={rows} />;
}

/** `one of ham, spam`, `any of 100 labels`, `a number`. */
export function answersText({
  problem,
  labels,
  task,
}: Pick<ModelView, 'problem' | 'labels' | 'task'>): string {
  const names = labels.length <= 6 ? labels.join(', ') : `${countText(labels.length)} labels`;
  const of = task === 'pair' ? ' for a pair of texts' : '';
  if (problem === 'regression') return (labels.length === 1 ? 'a number' : `${labels.length} numbers`) + of;
  return `${problem === 'multi-label' ? 'any of' : 'one of'} ${names}${of}`;
}
