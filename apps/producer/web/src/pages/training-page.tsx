import type { StepView, TrainingView } from '#training/job/training-view.js';
import type { Session } from '../api/views.js';
import { useEvents } from '../live/use-events.js';
import { LifeActions } from '../parts/life-actions.js';
import { Facts, Page, Problem, Section } from '../parts/page.js';
import { PhaseBadge } from '../parts/phase-badge.js';
import { ProgressBar } from '../parts/progress-bar.js';
import { Table } from '../parts/table.js';
import { countText, durationText, percentText, timeText } from '../words/quantity.js';

/** The curves are drawn anew after so many steps of training. */
const CURVES_EVERY = 20;

const questions = {
  cancel: 'Stop the training? It can be resumed.',
  delete: 'Delete the training and what it made, but for registered models?',
};

export function TrainingPage({ id, session }: { readonly id: string; readonly session: Session }) {
  const path = `/v1/training/${encodeURIComponent(id)}`;
  const { data: training, problem, isLost, again } = useEvents<TrainingView>(path);
  if (training === undefined) {
    return (
      <Page title="Training">
        {problem === undefined ? <p>Asking …</p> : <Problem>{problem.message}</Problem>}
      </Page>
    );
  }
  const { name, phase, owner, createdAt, error, model, steps } = training;
  return (
    <Page
      title={`Training of ${name}`}
      actions={
        <LifeActions
          path={path}
          of={training}
          session={session}
          questions={questions}
          home="/training"
          onDone={again}
        />
      }
    >
      {isLost && <Problem>Connection lost; trying again.</Problem>}
      <section class="panel" aria-label="How it stands">
        <p class="standing">
          <PhaseBadge phase={phase} />
        </p>
        <p class="unseen" role="status">
          The training is {phase}.
        </p>
        {training.waitsFor !== undefined && <p>{training.waitsFor}</p>}
        {error !== undefined && <Problem>{error}</Problem>}
        <Facts
          of={[
            ['Submitted', `${timeText(createdAt)} by ${owner}`],
            ['Steps', steps.map(({ kind }) => kind).join(', ')],
            model === undefined
              ? undefined
              : [
                  'Made',
                  <a href={`/models/${encodeURIComponent(model.name)}`}>
                    {model.name}, version {model.version}
                  </a>,
                ],
          ]}
        />
      </section>
      {steps.map((step, index) => (
        <Step key={index} step={step} index={index} path={path} />
      ))}
    </Page>
  );
}

function Step({
  step,
  index,
  path,
}: {
  readonly step: StepView;
  readonly index: number;
  readonly path: string;
}) {
  const { kind, phase, seconds, notes, progress } = step;
  // There is neither a log nor a curve before the first step.
  const learns = (kind === 'train' || kind === 'distil') && (progress?.steps ?? 0) > 0;
  const drawn = Math.floor((progress?.step ?? 0) / CURVES_EVERY);
  return (
    <Section title={`${index + 1}. ${kind}`}>
      <p class="standing">
        <PhaseBadge phase={phase} />
        {phase === 'running' && <ProgressBar share={progress?.fraction} label={`Progress of ${kind}`} />}
        {progress?.fraction !== undefined && phase === 'running' && (
          <span>{percentText(progress.fraction)}</span>
        )}
      </p>
      <Facts
        of={[
          seconds === undefined ? undefined : ['Took', durationText(seconds)],
          progress === undefined || progress.what === '' ? undefined : ['At', progress.what],
          progress === undefined || progress.steps === 0
            ? undefined
            : [
                'Step',
                `${countText(progress.step)} of ${countText(progress.steps)}, epoch ${progress.epoch}`,
              ],
          progress === undefined || progress.steps === 0 ? undefined : ['Loss', progress.loss.toPrecision(3)],
          progress === undefined || progress.stepsPerSecond === 0
            ? undefined
            : ['Speed', `${progress.stepsPerSecond.toPrecision(2)} steps/s`],
          progress?.etaSeconds === undefined || phase !== 'running'
            ? undefined
            : ['Left', durationText(progress.etaSeconds)],
        ]}
      />
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {learns && (
        <div class="side-by-side">
          <figure>
            <img
              class="curves"
              // A step that has just begun may have none.
              onError={({ currentTarget }) => (currentTarget.hidden = true)}
              onLoad={({ currentTarget }) => (currentTarget.hidden = false)}
              src={`${path}/curves?step=${index}&drawn=${drawn}&phase=${phase}`}
              alt={`Loss, and accuracy of each exit, over the steps of ${kind}`}
            />
          </figure>
          {progress !== undefined && progress.dev.length > 0 && (
            <Table
              isNarrow
              caption="Right on the dev corpus, after the last epoch"
              columns={[{ name: 'Exit after layer' }, { name: 'Right', isNumber: true }]}
              rows={progress.dev.map(({ layer, share }) => ({
                key: layer,
                cells: [String(layer), percentText(share)],
              }))}
            />
          )}
        </div>
      )}
      {learns && (
        <p>
          <a class="button" href={`${path}/log?step=${index}`} download={`${kind}.jsonl`}>
            Download the log of {kind}
          </a>
        </p>
      )}
    </Section>
  );
}
