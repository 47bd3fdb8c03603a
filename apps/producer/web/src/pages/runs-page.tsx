import { runName } from '#run/run-name.js';
import type { RunView } from '#run/run-view.js';
import type { StageView } from '../../../src/queue-gauges.js';
import type { Session } from '../api/views.js';
import { usePolled } from '../live/use-polled.js';
import { Page, Problem, Section } from '../parts/page.js';
import { PhaseBadge } from '../parts/phase-badge.js';
import { ProgressBar } from '../parts/progress-bar.js';
import { StageTable } from '../parts/stage-table.js';
import { Table } from '../parts/table.js';
import { countText, durationText, percentText, timeText } from '../words/quantity.js';
import { fractionOf, policyText, throughputText } from '../words/run-words.js';

const SHOWN = 100;
const EVERY_MS = 2000;

export function RunsPage({ session }: { readonly session: Session }) {
  const { data, problem } = usePolled<{ runs: RunView[]; total: number }>(
    `/v1/runs?limit=${SHOWN}`,
    EVERY_MS,
  );
  const stages = usePolled<{ stages: StageView[] }>('/v1/stages', EVERY_MS).data?.stages;
  const start =
    session.scope === 'read' ? undefined : (
      <a class="button primary" href="/new">
        New run
      </a>
    );
  return (
    <Page title="Runs" actions={start}>
      {problem !== undefined && <Problem>{problem.message}</Problem>}
      {data !== undefined && (
        <div class="panel">
          <RunTable runs={data.runs} total={data.total} />
        </div>
      )}
      {stages !== undefined && (
        <Section title="Stages" note="What waits now, and what the workers measured since they began.">
          <StageTable stages={stages} withModel />
        </Section>
      )}
    </Page>
  );
}

function RunTable({ runs, total }: { readonly runs: readonly RunView[]; readonly total: number }) {
  if (runs.length === 0) return <p>There are no runs yet.</p>;
  const columns = [
    { name: 'Corpus' },
    { name: 'State' },
    { name: 'Model' },
    { name: 'Progress' },
    { name: 'Rows', isNumber: true },
    { name: 'Throughput', isNumber: true },
    { name: 'Left', isNumber: true },
    { name: 'Submitted' },
  ];
  const rows = runs.map((run) => {
    const share = fractionOf(run);
    return {
      key: run.id,
      cells: [
        <a href={`/runs/${encodeURIComponent(run.id)}`}>{runName(run)}</a>,
        <PhaseBadge phase={run.phase} />,
        <>
          {run.request.model}, {policyText(run.request)}
        </>,
        <span class="progress">
          <ProgressBar share={share} label={`Progress of ${runName(run)}`} />
          {share !== undefined && <span>{percentText(share)}</span>}
        </span>,
        countText(run.report?.rows ?? run.progress?.rows ?? 0),
        throughputText(run) ?? '–',
        run.etaSeconds === undefined ? '–' : durationText(run.etaSeconds),
        timeText(run.createdAt),
      ],
    };
  });
  return (
    <>
      <Table caption="Runs, the latest first" isQuiet columns={columns} rows={rows} />
      {total > runs.length && (
        <p class="note">
          The latest {countText(runs.length)} of {countText(total)} runs.
        </p>
      )}
    </>
  );
}
