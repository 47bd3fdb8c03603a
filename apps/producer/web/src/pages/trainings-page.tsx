import type { TrainingView } from '#training/job/training-view.js';
import { usePolled } from '../live/use-polled.js';
import { Page, Problem } from '../parts/page.js';
import { PhaseBadge } from '../parts/phase-badge.js';
import { ProgressBar } from '../parts/progress-bar.js';
import { Table } from '../parts/table.js';
import { durationText, timeText } from '../words/quantity.js';

const EVERY_MS = 2000;

export function TrainingsPage() {
  const { data, problem } = usePolled<{ trainings: TrainingView[] }>('/v1/training', EVERY_MS);
  return (
    <Page title="Training">
      {problem !== undefined && <Problem>{problem.message}</Problem>}
      {data !== undefined && (
        <div class="panel">
          {data.trainings.length === 0 ? (
            <p>There are no trainings yet.</p>
          ) : (
            <TrainingTable trainings={data.trainings} />
          )}
        </div>
      )}
    </Page>
  );
}

function TrainingTable({ trainings }: { readonly trainings: readonly TrainingView[] }) {
  const columns = [
    { name: 'Training' },
    { name: 'State' },
    { name: 'Step' },
    { name: 'Progress' },
    { name: 'Loss', isNumber: true },
    { name: 'Left', isNumber: true },
    { name: 'Made' },
    { name: 'Submitted' },
  ];
  const rows = trainings.map(({ id, name, phase, steps, model, createdAt }) => {
    const at = steps.findIndex((step) => step.phase === 'running');
    const progress = steps[at]?.progress;
    return {
      key: id,
      cells: [
        <a href={`/training/${encodeURIComponent(id)}`}>{name}</a>,
        <PhaseBadge phase={phase} />,
        at < 0 ? `${steps.length} steps` : `${at + 1} of ${steps.length}: ${steps[at]!.kind}`,
        at < 0 ? '–' : <ProgressBar share={progress?.fraction} label={`Progress of ${name}`} />,
        progress === undefined ? '–' : progress.loss.toPrecision(3),
        progress?.etaSeconds === undefined ? '–' : durationText(progress.etaSeconds),
        model === undefined ? (
          '–'
        ) : (
          <a href={`/models/${encodeURIComponent(model.name)}`}>
            {model.name}, version {model.version}
          </a>
        ),
        timeText(createdAt),
      ],
    };
  });
  return <Table caption="Trainings, the latest first" isQuiet columns={columns} rows={rows} />;
}
