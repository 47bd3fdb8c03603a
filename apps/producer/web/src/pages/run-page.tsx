import { layersOf } from '#run/label-progress.js';
import { runName } from '#run/run-name.js';
import type { RunView } from '#run/run-view.js';
import { isUnderWay } from '#run/run-view.js';
import type { UncertainRow } from '#run/uncertain-row.js';
import type { StageView } from '../../../src/queue-gauges.js';
import type { Session } from '../api/views.js';
import { useEvents } from '../live/use-events.js';
import { usePolled } from '../live/use-polled.js';
import { ExitTable } from '../parts/exit-table.js';
import { LifeActions } from '../parts/life-actions.js';
import { Facts, Page, Problem, Section } from '../parts/page.js';
import { PhaseBadge } from '../parts/phase-badge.js';
import { ProgressBar } from '../parts/progress-bar.js';
import { StageTable } from '../parts/stage-table.js';
import { UncertainRows } from '../parts/uncertain-rows.js';
import { UncertaintyHistograms } from '../parts/uncertainty-histograms.js';
import { LabelTable, QualityFacts, RejectTable } from '../parts/run-outcome.js';
import { bytesText, countText, durationText, percentText, timeText } from '../words/quantity.js';
import { fractionOf, policyText, throughputText } from '../words/run-words.js';

const EVERY_MS = 2000;

const questions = {
  cancel: 'Stop the run? It can be resumed.',
  delete: 'Delete the run, its corpus and its output?',
};

/** Of the API. */
const runPath = (id: string): string => `/v1/runs/${encodeURIComponent(id)}`;

export function RunPage({ id, session }: { readonly id: string; readonly session: Session }) {
  const path = runPath(id);
  const { data: run, problem, isLost, again } = useEvents<RunView>(path);
  if (run === undefined) {
    return (
      <Page title="Run">
        {problem === undefined ? <p>Asking …</p> : <Problem>{problem.message}</Problem>}
      </Page>
    );
  }
  return (
    <Page
      title={runName(run)}
      actions={
        <LifeActions path={path} of={run} session={session} questions={questions} home="/" onDone={again} />
      }
    >
      {isLost && <Problem>Connection lost; trying again.</Problem>}
      <Standing run={run} />
      <Output run={run} />
      <Exits run={run} />
      <Section
        title="Uncertainty by exit"
        note="Rows by how uncertain the exit was where they left, counted as chunks are committed."
      >
        {run.counts === undefined || run.counts.exits.length === 0 ? (
          <p class="note">{isUnderWay(run) ? 'Nothing is committed yet.' : 'No row was labelled.'}</p>
        ) : (
          <UncertaintyHistograms exits={run.counts.exits} />
        )}
      </Section>
      {isUnderWay(run) && <Stages model={run.request.model} />}
      <Rejects run={run} />
      <LeastCertain run={run} />
    </Page>
  );
}

function Standing({ run }: { readonly run: RunView }) {
  const { progress, report } = run;
  const share = fractionOf(run);
  const saved = report?.layersSaved ?? (progress && progress.rows > 0 ? layersOf(progress).saved : undefined);
  const rows = report?.rows ?? progress?.rows ?? 0;
  const total = progress?.totalRows;
  return (
    <section class="panel" aria-label="How it stands">
      <p class="standing">
        <PhaseBadge phase={run.phase} />
        <ProgressBar share={share} label="Progress of the run" />
        {share !== undefined && <span>{percentText(share)}</span>}
      </p>
      <p class="unseen" role="status">
        The run is {run.phase}.
      </p>
      {run.waitsFor !== undefined && <p>{run.waitsFor}</p>}
      {run.error !== undefined && <Problem>{run.error}</Problem>}
      <Facts
        of={[
          [
            'Rows',
            isUnderWay(run) && total !== undefined && progress?.totalGuessed === true
              ? `${countText(rows)} of about ${countText(total)}`
              : countText(rows),
          ],
          ['Throughput', throughputText(run) ?? '–'],
          run.phase === 'running'
            ? ['Left', run.etaSeconds === undefined ? '–' : durationText(run.etaSeconds)]
            : undefined,
          ['Layers saved', saved === undefined ? '–' : percentText(saved)],
          ['Rejected', countText(run.counts?.rejected ?? 0)],
          ['Model', <a href={`/models/${modelName(run)}`}>{run.request.model}</a>],
          ['Policy', policyText(run.request)],
          ['Submitted', `${timeText(run.createdAt)} by ${run.owner}`],
          ['Run', <code>{run.id}</code>],
        ]}
      />
      {(run.notes ?? []).map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </section>
  );
}

const modelName = ({ request }: RunView): string => encodeURIComponent(request.model.replace(/@\d+$/, ''));

function Output({ run: { output, report } }: { readonly run: RunView }) {
  if (output === undefined) return null;
  return (
    <Section title="Output">
      <p>
        <a class="button primary" href={output.path} download>
          Download {output.format}, {bytesText(output.bytes)}
        </a>
      </p>
      <p class="note">
        SHA-256 <code class="hash">{output.sha256}</code>
      </p>
      {report?.quality !== undefined && <QualityFacts quality={report.quality} />}
    </Section>
  );
}

function Exits({ run: { progress, counts } }: { readonly run: RunView }) {
  const layers = progress?.exits.map(({ layer }) => layer) ?? counts?.exits.map(({ layer }) => layer) ?? [];
  if (counts === undefined || layers.length === 0) return null;
  return (
    <div class="side-by-side">
      <Section title="Where texts left" note="Committed rows by the exit where they left.">
        <ExitTable layers={layers} counts={counts} />
      </Section>
      {counts.labels.length > 0 && (
        <Section title="Labels" note="Committed rows by label.">
          <LabelTable counts={counts} />
        </Section>
      )}
    </div>
  );
}

function Stages({ model }: { readonly model: string }) {
  const { data } = usePolled<{ stages: StageView[] }>('/v1/stages', EVERY_MS);
  const stages = data?.stages.filter((stage) => stage.model === model) ?? [];
  const named =
    stages.length > 0 ? stages : data?.stages.filter((stage) => model.startsWith(`${stage.model}@`));
  return (
    <Section
      title="Stages"
      note="What waits for the model now, of all its runs, and what its workers measured since they began."
    >
      {named !== undefined && <StageTable stages={named} />}
    </Section>
  );
}

function Rejects({ run }: { readonly run: RunView }) {
  const { counts } = run;
  if (counts === undefined || counts.rejected === 0) return null;
  return (
    <Section title="Rejected rows" note="Rows that could not be labelled; all others were.">
      <RejectTable counts={counts} />
      {run.phase === 'finished' && (
        <p>
          <a class="button" href={`${runPath(run.id)}/rejects`} download>
            Download rejected rows
          </a>
        </p>
      )}
    </Section>
  );
}

function LeastCertain({ run }: { readonly run: RunView }) {
  const { data } = usePolled<{ rows: UncertainRow[] }>(
    // Once more when the run is over, for the last of them.
    `${runPath(run.id)}/least-certain?phase=${run.phase}`,
    isUnderWay(run) ? EVERY_MS : undefined,
  );
  if (data === undefined || data.rows.length === 0) return null;
  return (
    <Section
      title="Least certain rows"
      note={`The ${countText(data.rows.length)} rows that the model was most unsure of${isUnderWay(run) ? ', so far' : ''}. Look at them first.`}
    >
      <UncertainRows rows={data.rows} />
    </Section>
  );
}
