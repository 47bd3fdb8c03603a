import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunTask } from '#run/run-view.js';
import type { ModelView } from '../../../src/model-desk.js';
import type { StageView } from '../../../src/queue-gauges.js';
import { messageFrom } from '../api/request.js';
import type { Evaluation, Session } from '../api/views.js';
import { useEvaluation } from '../live/use-evaluation.js';
import { usePolled } from '../live/use-polled.js';
import type { CorpusSample } from '../new-run/corpus-sample.js';
import { sampleOf } from '../new-run/corpus-sample.js';
import type { Point, PolicyChoice } from '../new-run/points.js';
import { pointName, pointsOf, sensiblePoint } from '../new-run/points.js';
import { predictedTime } from '../new-run/predicted-cost.js';
import { useSending } from '../new-run/use-sending.js';
import type { CorpusFormat } from '../parts/corpus-choices.js';
import { CorpusChoices } from '../parts/corpus-choices.js';
import { CurveChart } from '../parts/curve-chart.js';
import { DropZone } from '../parts/drop-zone.js';
import { Facts, Page, Problem, Section } from '../parts/page.js';
import { PointChoice } from '../parts/point-choice.js';
import { ProgressBar } from '../parts/progress-bar.js';
import { navigate } from '../router.js';
import { countText, durationText, percentText } from '../words/quantity.js';

const STAGES_EVERY_MS = 5000;
/** Of a speed that is none of the points. */
const OWN_SPEED = 'own speed';

export function NewRunPage({ session }: { readonly session: Session }) {
  const { data, problem } = usePolled<{ models: ModelView[] }>('/v1/models');
  const [chosen, setChosen] = useState<string>();
  const model = data?.models.find(({ name }) => name === chosen) ?? data?.models[0];
  return (
    <Page title="New run">
      {problem !== undefined && <Problem>{problem.message}</Problem>}
      {session.scope === 'read' && (
        <Problem>Your key may look only: starting a run needs one of scope submit.</Problem>
      )}
      {data?.models.length === 0 && (
        <Problem>The producer has no models: put bundles into its models folder.</Problem>
      )}
      {data !== undefined && model !== undefined && session.scope !== 'read' && (
        <NewRunForm key={model.name} models={data.models} model={model} onModel={setChosen} />
      )}
    </Page>
  );
}

/** Kept while another model is chosen. */
let files: readonly File[] = [];

function NewRunForm({
  models,
  model,
  onModel,
}: {
  readonly models: readonly ModelView[];
  readonly model: ModelView;
  readonly onModel: (name: string) => void;
}) {
  const [format, setFormat] = useState<CorpusFormat>();
  const [sample, setSample] = useState<CorpusSample>({ fields: [], rows: undefined });
  const [point, setPoint] = useState<string>();
  const [speed, setSpeed] = useState('0.2');
  const { sent, send, stop } = useSending();
  const [problem, setProblem] = useState<string>();
  const evaluation = useEvaluation(model);
  const points = evaluation === 'asking' ? [] : pointsOf(model, evaluation);
  const isSending = sent !== undefined;
  const look = (): void => void sampleOf(files, format).then(setSample);
  useEffect(look, [format]);
  const onFiles = (chosen: readonly File[]): void => {
    if (isSending) return;
    files = chosen;
    setProblem(undefined);
    look();
  };
  const current =
    point === OWN_SPEED ? undefined : (points.find(({ name }) => name === point) ?? sensiblePoint(points));
  const submit = async (form: HTMLFormElement): Promise<void> => {
    if (files.length === 0) {
      setProblem('Drop or choose a corpus first.');
      return;
    }
    const choice: PolicyChoice = current === undefined ? { speed: Number(speed) } : current.choice;
    setProblem(undefined);
    try {
      const options = {
        model: model.name,
        ...(model.problem === 'regression' ? {} : choice),
        format,
        ...taskOf(form),
      };
      const run = await send(options, files);
      files = [];
      navigate(`/runs/${encodeURIComponent(run.id)}`);
    } catch (error) {
      setProblem(messageFrom(error));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <fieldset class="choices" disabled={isSending}>
        <Section title="Corpus">
          <DropZone files={files} onFiles={onFiles} />
          <CorpusChoices sample={sample} isPair={model.task === 'pair'} onFormat={setFormat} />
        </Section>
        <Section title="Model">
          <label class="unseen" for="model">
            Model
          </label>
          <select
            id="model"
            value={model.name}
            onChange={({ currentTarget }) => onModel(currentTarget.value)}
          >
            {models.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <p class="note">
            {model.layers} layers, {model.precision}, {labelsText(model)}.{' '}
            <a href={`/models/${encodeURIComponent(model.name)}`}>More of it</a>
          </p>
        </Section>
        {evaluation === 'asking' ? (
          <Section title="Speed and accuracy">
            <p>Asking …</p>
          </Section>
        ) : model.problem === 'regression' ? (
          <Section title="Speed and accuracy">
            <p>The model gives numbers, which have no uncertainty: every text runs at full depth.</p>
          </Section>
        ) : (
          <Section title="Speed and accuracy" note={measuredText(evaluation, model)}>
            <fieldset class="points">
              <legend class="unseen">Point on the curve of speed and accuracy</legend>
              <div>
                <PointChoice points={points} chosen={current?.name} onChoose={setPoint} />
                <OwnSpeed
                  isChosen={current === undefined}
                  speed={speed}
                  onChoose={() => setPoint(OWN_SPEED)}
                  onSpeed={setSpeed}
                />
              </div>
              <CurveChart points={points} chosen={current?.name} onChoose={setPoint} />
            </fieldset>
          </Section>
        )}
        <Prediction model={model} point={current} rows={sample.rows} />
        <OutputChoices />
      </fieldset>
      {problem !== undefined && <Problem>{problem}</Problem>}
      {sent !== undefined && (
        <p class="standing">
          <span>Sending</span> <ProgressBar share={sent} label="Sending the corpus" />{' '}
          <span>{percentText(sent)}</span>{' '}
          <button type="button" onClick={stop}>
            Stop
          </button>
        </p>
      )}
      <p>
        <button type="submit" class="primary" disabled={isSending || evaluation === 'asking'}>
          Start the run
        </button>
      </p>
    </form>
  );
}

const labelsText = ({ labels }: ModelView): string =>
  labels.length <= 6 ? `labels ${labels.join(', ')}` : `${countText(labels.length)} labels`;

function measuredText(evaluation: Evaluation | undefined, { quality }: ModelView): string {
  if (evaluation !== undefined) return 'As sluice evaluate measured this version of the model.';
  return quality === null
    ? 'The bundle was compiled without texts to measure it on, so nothing is known of its presets.'
    : `The presets of the bundle, measured on ${countText(quality.texts)} texts when it was compiled.`;
}

function OwnSpeed({
  isChosen,
  speed,
  onChoose,
  onSpeed,
}: {
  readonly isChosen: boolean;
  readonly speed: string;
  readonly onChoose: () => void;
  readonly onSpeed: (speed: string) => void;
}) {
  return (
    <p class="own-speed">
      <label class="choice">
        <input type="radio" name="point" checked={isChosen} onChange={onChoose} />
        another speed
      </label>
      <input
        type="number"
        aria-label="Speed, from 0 for full depth to 1"
        min={0}
        max={1}
        step="any"
        required
        disabled={!isChosen}
        value={speed}
        onInput={({ currentTarget }) => onSpeed(currentTarget.value)}
      />
    </p>
  );
}

function OutputChoices() {
  const [format, setFormat] = useState('jsonl');
  return (
    <Section title="Output">
      <div class="fields">
        <label>
          Format
          <select
            name="outFormat"
            value={format}
            onChange={({ currentTarget }) => setFormat(currentTarget.value)}
          >
            <option>jsonl</option>
            <option>csv</option>
            <option>parquet</option>
          </select>
        </label>
        <label>
          Priority among runs
          <select name="priority" defaultValue="normal">
            <option>normal</option>
            <option>high</option>
            <option>low</option>
          </select>
        </label>
        <label>
          Stop after rows
          <input name="limit" type="number" min={1} step={1} placeholder="all" />
        </label>
      </div>
      <Check name="probabilities">the probability of every label</Check>
      {format !== 'parquet' && <Check name="compress">compressed by gzip</Check>}
      {format === 'csv' && <Check name="spreadsheetSafe">safe to open in a spreadsheet</Check>}
    </Section>
  );
}

function Check({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <p>
      <label class="choice">
        <input type="checkbox" name={name} />
        {children}
      </label>
    </p>
  );
}

/** What the form says of the run, but for its model and its policy. */
function taskOf(form: HTMLFormElement): Partial<RunTask> {
  const data = new FormData(form);
  const text = (name: string): string | undefined => {
    const value = data.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const limit = text('limit');
  const task = {
    textField: text('textField'),
    pairField: text('pairField'),
    labelField: text('labelField'),
    outFormat: (['jsonl', 'csv', 'parquet'] as const).find((format) => format === text('outFormat')),
    priority: (['high', 'normal', 'low'] as const).find((priority) => priority === text('priority')),
    limit: limit === undefined ? undefined : Number(limit),
    probabilities: data.has('probabilities') || undefined,
    compress: data.has('compress') || undefined,
    spreadsheetSafe: data.has('spreadsheetSafe') || undefined,
  };
  return task;
}

function Prediction({
  model,
  point,
  rows,
}: {
  readonly model: ModelView;
  readonly point: Point | undefined;
  readonly rows: number | undefined;
}) {
  const { data } = usePolled<{ stages: StageView[] }>('/v1/stages', STAGES_EVERY_MS);
  const stages = data?.stages.filter((stage) => stage.model === model.name) ?? [];
  const time = point && predictedTime(point, stages);
  const isServed = stages.every(({ workers }) => workers > 0);
  const ofAll = time?.secondsPerTextOfAll;
  return (
    <Section
      title="Predicted cost"
      note="From the point’s measurement, and from what the workers measured for a row since they began; reading and queues come on top."
    >
      <div aria-live="polite">
        {!isServed && <p>No worker serves all stages of this model now: the run will wait for them.</p>}
        {point === undefined ? (
          <p>Nothing was measured for a speed of your own.</p>
        ) : (
          <Facts
            of={[
              ['Point', pointName(point)],
              [
                'Of the cost of full depth',
                point.cost === undefined ? 'not measured' : percentText(point.cost),
              ],
              ['Rows', rows === undefined ? 'not known before it is read' : `about ${countText(rows)}`],
              [
                'Time for 1,000 texts',
                time === undefined ? 'not measured yet' : durationText(time.secondsPerText * 1000),
              ],
              [
                'Time for all',
                ofAll === undefined || rows === undefined ? '–' : `about ${durationText(ofAll * rows)}`,
              ],
            ]}
          />
        )}
      </div>
    </Section>
  );
}
