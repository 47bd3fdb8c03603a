import { useEffect, useState } from 'preact/hooks';
import type { ModelView, VersionView } from '../../../src/model-desk.js';
import type { StageView } from '../../../src/queue-gauges.js';
import { getText, messageFrom, post } from '../api/request.js';
import type { Session } from '../api/views.js';
import { useEvaluation } from '../live/use-evaluation.js';
import { usePolled } from '../live/use-polled.js';
import { pointsOf } from '../new-run/points.js';
import { ConfirmedButton } from '../parts/confirmed-button.js';
import { CurveChart } from '../parts/curve-chart.js';
import { Markdown } from '../parts/markdown.js';
import { Facts, Page, Problem, Section } from '../parts/page.js';
import { PointChoice } from '../parts/point-choice.js';
import { StageTable } from '../parts/stage-table.js';
import { Table } from '../parts/table.js';
import { countText, percentText, timeText } from '../words/quantity.js';
import { answersText } from './models-page.js';

const EVERY_MS = 5000;

export function ModelPage({ name, session }: { readonly name: string; readonly session: Session }) {
  const { data, problem, again } = usePolled<{ models: ModelView[] }>('/v1/models', EVERY_MS);
  const model = data?.models.find((each) => each.name === name);
  return (
    <Page title={name}>
      {problem !== undefined && <Problem>{problem.message}</Problem>}
      {data !== undefined && model === undefined && <Problem>There is no model of this name.</Problem>}
      {model !== undefined && <Model model={model} session={session} onChange={again} />}
    </Page>
  );
}

function Model({
  model,
  session,
  onChange,
}: {
  readonly model: ModelView;
  readonly session: Session;
  readonly onChange: () => void;
}) {
  const evaluation = useEvaluation(model);
  const points = evaluation === 'asking' ? [] : pointsOf(model, evaluation);
  const stages = usePolled<{ stages: StageView[] }>('/v1/stages', EVERY_MS).data?.stages;
  return (
    <>
      <section class="panel" aria-label="What it is">
        <Facts
          of={[
            ['Answers', answersText(model)],
            ['Layers', String(model.layers)],
            ['Exits after layers', model.exits.map(({ layer }) => layer).join(', ')],
            ['Precision', model.precision],
            ['Longest text', `${countText(model.maxLength)} tokens`],
            ['Version of runs', String(model.version)],
            ['Bundle', <code class="hash">{model.bundle}</code>],
          ]}
        />
      </section>
      {model.problem !== 'regression' && points.length > 0 && (
        <Section
          title="Speed and accuracy"
          note={
            evaluation === undefined
              ? 'The presets of the bundle, as measured when it was compiled.'
              : 'As sluice evaluate measured it.'
          }
        >
          <div class="points">
            <PointChoice points={points} />
            <CurveChart points={points} />
          </div>
        </Section>
      )}
      {model.quality !== null && <ExitQuality quality={model.quality} />}
      {stages !== undefined && (
        <Section title="Stages">
          <StageTable stages={stages.filter((stage) => stage.model === model.name)} />
        </Section>
      )}
      <Versions model={model} session={session} onChange={onChange} />
    </>
  );
}

const measured = (share: number | undefined): string => (share === undefined ? '–' : percentText(share));

function ExitQuality({ quality }: { readonly quality: NonNullable<ModelView['quality']> }) {
  return (
    <Section
      title="Exits"
      note={`Each by itself, measured on ${countText(quality.texts)} texts when it was compiled.`}
    >
      <Table
        caption="Quality of each exit"
        isQuiet
        isNarrow
        columns={[
          { name: 'Exit after layer' },
          { name: 'Accuracy', isNumber: true },
          { name: 'Accuracy in float32', isNumber: true },
          { name: 'Labels as in float32', isNumber: true },
        ]}
        rows={quality.exits.map(({ layer, accuracy, accuracyFp32, agreement }) => ({
          key: layer,
          cells: [String(layer), measured(accuracy), measured(accuracyFp32), percentText(agreement)],
        }))}
      />
    </Section>
  );
}

function Versions({
  model,
  session,
  onChange,
}: {
  readonly model: ModelView;
  readonly session: Session;
  readonly onChange: () => void;
}) {
  const { name, versions, version } = model;
  const [problem, setProblem] = useState<string>();
  const [shown, setShown] = useState<number>();
  const path = `/v1/models/${encodeURIComponent(name)}`;
  const act = (what: string, body?: object): void => {
    setProblem(undefined);
    post(`${path}/${what}`, body).then(onChange, (error: unknown) => setProblem(messageFrom(error)));
  };
  const card = versions.find((each) => each.version === (shown ?? version));
  const mayPromote = session.scope === 'admin';
  const rows = versions.map((each) => ({
    key: each.version,
    cells: [
      String(each.version),
      timeText(each.createdAt),
      each.precision,
      countText(each.workers),
      each.promoted ? <strong>runs take it</strong> : '–',
      <VersionActions
        version={each}
        mayPromote={mayPromote}
        onCard={() => setShown(each.version)}
        onPromote={() => act('promote', { version: each.version })}
      />,
    ],
  }));
  const columns = [
    { name: 'Version', isNumber: true },
    { name: 'Made' },
    { name: 'Precision' },
    { name: 'Workers', isNumber: true },
    { name: 'Promoted' },
    { name: 'Actions' },
  ];
  return (
    <>
      <Section title="Versions">
        <Table caption="Versions, the newest first" isQuiet columns={columns} rows={rows} />
        {problem !== undefined && <Problem>{problem}</Problem>}
        {mayPromote && versions.length > 1 && (
          <p>
            <ConfirmedButton
              question="Let runs take the version promoted before?"
              onConfirm={() => act('roll-back')}
            >
              Roll back
            </ConfirmedButton>
          </p>
        )}
      </Section>
      {card?.hasCard === true && (
        <Card path={`${path}/versions/${card.version}/card`} version={card.version} />
      )}
    </>
  );
}

function VersionActions({
  version: { version, promoted, hasCard },
  mayPromote,
  onCard,
  onPromote,
}: {
  readonly version: VersionView;
  readonly mayPromote: boolean;
  readonly onCard: () => void;
  readonly onPromote: () => void;
}) {
  return (
    <span class="actions">
      {hasCard && (
        <button type="button" onClick={onCard} aria-label={`Card of version ${version}`}>
          Card
        </button>
      )}
      {mayPromote && !promoted && (
        <button type="button" onClick={onPromote} aria-label={`Promote version ${version}`}>
          Promote
        </button>
      )}
    </span>
  );
}

function Card({ path, version }: { readonly path: string; readonly version: number }) {
  const [card, setCard] = useState<{ path: string; text: string }>();
  useEffect(() => {
    getText(path).then(
      (text) => setCard({ path, text }),
      (error: unknown) => setCard({ path, text: messageFrom(error) }),
    );
  }, [path]);
  return (
    <Section title={`Card of version ${version}`}>
      {card?.path === path ? <Markdown text={card.text} /> : <p>Asking …</p>}
    </Section>
  );
}
