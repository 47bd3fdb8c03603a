/** Producer and trainers as users run them: from a backbone and a labelled file to a version of a model that labels. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '#queue/redis-connection.js';
import type { TrainingView } from '#training/job/training-view.js';
import { isTrainingUnderWay } from '#training/job/training-view.js';
import { LetterCorpus } from '../letter-corpus.js';
import { jsonLines } from '../mail-sample.js';
import { runCli } from '../run-cli.js';
import { trainingBackend } from '../training/training-backend.js';
import type { Producer, Service } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const letters = new LetterCorpus(5);

const files = new Map([
  ['train.jsonl', jsonLines(letters.rows(300))],
  ['dev.jsonl', jsonLines(letters.rows(100))],
  ['texts.jsonl', jsonLines(letters.rows(300).map(({ text }) => ({ text })))],
]);
const learning = {
  kind: 'train',
  base: 'letters',
  newHead: true,
  task: 'single',
  rate: 0.01,
  exitSize: 16,
  batchTokens: 128,
  backend: trainingBackend,
  data: 'train.jsonl',
  dev: 'dev.jsonl',
} as const;
const { exitSize, batchTokens, backend } = learning;
const distilling = {
  kind: 'distil',
  exitSize,
  batchTokens,
  backend,
  data: 'texts.jsonl',
  dev: 'dev.jsonl',
  rate: 0.01,
} as const;
const compiling = { kind: 'compile', calibrate: 'texts.jsonl' } as const;
const steps = [
  { ...learning, epochs: 5 },
  { ...distilling, epochs: 3 },
  compiling,
  { kind: 'evaluate', data: 'dev.jsonl', labelField: 'label', timing: false },
];
/** Long enough to be killed in, with checkpoints to go on from. */
const long = { ...learning, epochs: 10, checkpointSteps: 10 } as const;

let fleet: ServiceFleet;
let producer: Producer;
let env: Record<string, string>;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  const models = join(fleet.folder, 'models');
  const checkpoints = join(fleet.folder, 'checkpoints');
  await mkdir(models);
  await cp(join(import.meta.dirname, '../fixtures/training'), join(checkpoints, 'letters'), {
    recursive: true,
  });
  env = { SLUICE_MODELS_ROOT: models, SLUICE_TRAINING_CHECKPOINTS: checkpoints };
  const { SLUICE_TFJS_NODE } = process.env;
  if (SLUICE_TFJS_NODE !== undefined) env['SLUICE_TFJS_NODE'] = SLUICE_TFJS_NODE;
  producer = await fleet.producer(env);
});
afterAll(() => fleet.stop());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(producer.api + path, init);
const json = async <T>(path: string): Promise<T> => {
  const value: T = JSON.parse(await (await get(path)).text());
  return value;
};
const post = (path: string, body: unknown): Promise<Response> =>
  get(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** The corpora go with it. */
async function submit(request: object, corpora: ReadonlyMap<string, string> = files): Promise<Response> {
  const form = new FormData();
  form.set('options', JSON.stringify(request));
  for (const [name, text] of corpora) form.append('file', new Blob([text]), name);
  return get('/v1/training', { method: 'POST', body: form });
}

async function submitted(request: object): Promise<TrainingView> {
  const answer = await submit(request);
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  return JSON.parse(text);
}

/** Watches a training until a view is as it should be, or it is over. */
async function watch(id: string, is: (view: TrainingView) => boolean): Promise<TrainingView> {
  for (;;) {
    const view = await json<TrainingView>(`/v1/training/${id}`);
    if (is(view) || !isTrainingUnderWay(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const over = (id: string): Promise<TrainingView> => watch(id, (view) => !isTrainingUnderWay(view));
const weights = (id: string, name: string): Promise<Buffer> =>
  readFile(join(fleet.folder, 'trainings', id, 'steps/0/out', name, 'model.safetensors'));

const hasCheckpoint = ({ steps: [step] }: TrainingView): boolean => (step!.progress?.step ?? 0) > 25;

async function stopped(service: Service): Promise<void> {
  service.kill('SIGTERM');
  expect(await service.ended, service.output).toBe('SIGTERM');
}

interface Model {
  readonly name: string;
  readonly version: number;
  readonly versions: readonly {
    readonly version: number;
    readonly promoted: boolean;
    readonly hasCard: boolean;
    readonly hasEvaluation: boolean;
  }[];
}

describe('a training', () => {
  let id: string;

  it('waits while there is no trainer, survives the loss of all that Redis has, and becomes a model', async () => {
    const waiting = await submitted({ name: 'letters', steps });
    ({ id } = waiting);
    expect(waiting).toMatchObject({ phase: 'waiting', waitsFor: 'There is no trainer.', name: 'letters' });
    const redis = connectRedis({ url: fleet.redis.url });
    await redis.flushall();
    redis.disconnect();
    const trainer = await fleet.trainer(env);
    const view = await over(id);
    expect(view, view.error).toMatchObject({ phase: 'finished', model: { name: 'letters', version: 1 } });
    expect(view.steps.map(({ kind, phase }) => [kind, phase])).toEqual(
      ['train', 'distil', 'compile', 'evaluate'].map((kind) => [kind, 'finished']),
    );
    expect(view.steps[0]!.progress!.dev.at(-1)!.share).toBeGreaterThan(0.95);
    expect(view.steps[1]!.progress!.dev.map(({ layer }) => layer)).toEqual([0, 1, 2]);
    const metrics = await (await fetch(`${trainer.admin}/metrics`)).text();
    expect(metrics).toMatch(/sluice_training_loss\{phase="train"\} [\d.e-]+\n/);
    expect(metrics).toContain(
      `sluice_training_steps_total{phase="distil"} ${view.steps[1]!.progress!.steps}\n`,
    );
    expect(metrics).toContain('sluice_jobs_total{stage="training",outcome="done"} 1\n');
    await stopped(trainer);
  });

  it('leaves curves, a log, a card and an evaluation', async () => {
    const log = await (await get(`/v1/training/${id}/log?step=1`)).text();
    const last: unknown = JSON.parse(log.trimEnd().split('\n').at(-1)!);
    expect(last).toMatchObject({ kind: 'epoch', phase: 'distil', epoch: 3 });
    const curves = await get(`/v1/training/${id}/curves?step=0`);
    expect([curves.headers.get('content-type'), await curves.text()]).toEqual([
      expect.stringMatching(/^image\/svg\+xml/),
      expect.stringMatching(/^<svg[^]*exit 2[^]*<\/svg>\s*$/),
    ]);
    expect((await get(`/v1/training/${id}/curves?step=2`)).status).toBe(404);
    expect((await get(`/v1/training/${id}/curves?step=9`)).status).toBe(404);
    const { models } = await json<{ models: Model[] }>('/v1/models');
    expect(models).toMatchObject([
      {
        name: 'letters',
        version: 1,
        versions: [{ version: 1, promoted: true, hasCard: true, hasEvaluation: true }],
      },
    ]);
    expect(await (await get('/v1/models/letters/versions/1/card')).text()).toMatch(
      /^# letters\n[^]*learned from \| texts\.jsonl: 300 rows/,
    );
    const evaluation = await json('/v1/models/letters/versions/1/evaluation');
    expect(evaluation).toMatchObject({ rows: 100 });
    expect(await json(`/v1/training/${id}/evaluation?step=3`)).toEqual(evaluation);
    expect((await get(`/v1/training/${id}/evaluation?step=0`)).status).toBe(404);
    const { trainings } = await json<{ trainings: TrainingView[] }>('/v1/training');
    expect(trainings.map((each) => each.id)).toEqual([id]);
  });

  it('makes a model that a worker serves by its name', async () => {
    const worker = await fleet.worker({ SLUICE_WORKER_BUNDLE: join(env['SLUICE_MODELS_ROOT']!, 'letters') });
    const texts = letters.rows(20);
    const answer = await post('/v1/classify', {
      model: 'letters',
      speed: 0,
      texts: texts.map(({ text }) => text),
    });
    const { results }: { results: { label: string }[] } = JSON.parse(await answer.text());
    const right = results.filter(({ label }, index) => label === texts[index]!.label);
    expect(right.length).toBeGreaterThan(17);
    // The board has it too, though it was not there when the producer began.
    await expect.poll(queuesOnBoard).toContain('letters, stage 1');
    await stopped(worker);
  });
});

async function queuesOnBoard(): Promise<string[]> {
  const answer = await fetch(`${producer.admin}/queues/api/queues`);
  const { queues }: { queues: { description: string }[] } = JSON.parse(await answer.text());
  return queues.map(({ description }) => description);
}

describe('versions', () => {
  it('are added, promoted and rolled back, and named by runs', async () => {
    const trainer = await fleet.trainer(env);
    const base = (await json<{ trainings: TrainingView[] }>('/v1/training')).trainings[0]!.id;
    const { id } = await submitted({ name: 'letters', steps: [{ ...compiling, base, precision: 'fp32' }] });
    const view = await over(id);
    expect(view, view.error).toMatchObject({ phase: 'finished', model: { version: 2 } });
    // One that is added is there, and nobody takes it yet.
    expect(await json<Model>('/v1/models/letters')).toMatchObject({
      version: 1,
      versions: [
        { version: 2, promoted: false },
        { version: 1, promoted: true },
      ],
    });
    const promoted = await post('/v1/models/letters/promote', { version: 2 });
    expect([promoted.status, await promoted.json()]).toEqual([200, expect.objectContaining({ version: 2 })]);
    const run = await post('/v1/runs', { model: 'letters', rows: [{ text: 'a b c' }] });
    expect(await run.json()).toMatchObject({ version: 2, request: { model: 'letters' } });
    const older = await post('/v1/runs', { model: 'letters@1', rows: [{ text: 'a b c' }] });
    expect(await older.json()).toMatchObject({ version: 1, request: { model: 'letters@1' } });
    const back = await post('/v1/models/letters/roll-back', {});
    expect(await back.json()).toMatchObject({ version: 1 });
    expect((await post('/v1/models/letters/roll-back', {})).status).toBe(409);
    expect((await post('/v1/models/letters/promote', { version: 7 })).status).toBe(404);
    expect((await post('/v1/runs', { model: 'letters@7', rows: [{ text: 'a' }] })).status).toBe(404);
    await stopped(trainer);
  });
});

describe('a training that is disturbed', () => {
  let expected: Buffer;

  beforeAll(async () => {
    for (const [name, text] of files) await writeFile(join(fleet.folder, name), text);
    const args = ['--new-head', '--task=single', '--rate=0.01', '--exit-size=16', '--batch-tokens=128'];
    const { end, stderr } = await runCli(
      [
        'train',
        `--base=${join(env['SLUICE_TRAINING_CHECKPOINTS']!, 'letters')}`,
        '--data=train.jsonl',
        '--dev=dev.jsonl',
        ...args,
        '--epochs=10',
        `--backend=${trainingBackend}`,
        '--out=undisturbed',
      ],
      { cwd: fleet.folder, env },
    );
    expect(end, stderr).toBe(0);
    expected = await readFile(join(fleet.folder, 'undisturbed/model.safetensors'));
  });

  it('goes on after kill -9 of its trainer, and comes to the same bytes', async () => {
    const first = await fleet.trainer(env);
    const { id } = await submitted({ name: 'killed', steps: [long] });
    const before = await watch(id, hasCheckpoint);
    expect(before.phase).toBe('running');
    first.kill('SIGKILL');
    await first.ended;
    const second = await fleet.trainer(env);
    const view = await over(id);
    expect(view, view.error).toMatchObject({ phase: 'finished' });
    const resumed = view.steps[0]!.notes.map((note) => /checkpoint of step (\d+)/.exec(note)?.[1]).find(
      Boolean,
    );
    // At most one interval between checkpoints is lost.
    expect(Number(resumed)).toBeGreaterThan(before.steps[0]!.progress!.step - 2 * long.checkpointSteps);
    expect(await weights(id, 'killed')).toEqual(expected);
    await stopped(second);
  });

  it('is handed over by a trainer that stops, cancelled, and resumed, to the same bytes', async () => {
    const first = await fleet.trainer(env);
    const { id } = await submitted({ name: 'stopped', steps: [long] });
    await watch(id, hasCheckpoint);
    await stopped(first);
    expect((await json<TrainingView>(`/v1/training/${id}`)).phase).toBe('waiting');
    const second = await fleet.trainer(env);
    await watch(id, ({ phase }) => phase === 'running');
    expect(await (await post(`/v1/training/${id}/cancel`, {})).json()).toMatchObject({ phase: 'cancelled' });
    expect((await post(`/v1/training/${id}/cancel`, {})).status).toBe(409);
    // A trainer that is idle again takes another one.
    const other = await submitted({ name: 'other', steps: [{ ...learning, epochs: 1 }] });
    expect((await over(other.id)).phase).toBe('finished');
    expect((await json<TrainingView>(`/v1/training/${id}`)).phase).toBe('cancelled');
    await post(`/v1/training/${id}/resume`, {});
    const view = await over(id);
    expect(view, view.error).toMatchObject({ phase: 'finished' });
    expect(await weights(id, 'stopped')).toEqual(expected);
    expect((await get(`/v1/training/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await get(`/v1/training/${id}`)).status).toBe(404);
    await stopped(second);
  });

  it('goes on where its lock was lost, with the trainer that takes it then, to the same bytes', async () => {
    const trainer = await fleet.trainer(env);
    const { id } = await submitted({ name: 'lost', steps: [long] });
    await watch(id, hasCheckpoint);
    const redis = connectRedis({ url: fleet.redis.url });
    expect(await redis.del(`{sluice}:training:${id}:lock`)).toBe(1);
    redis.disconnect();
    const view = await over(id);
    expect(view, view.error).toMatchObject({ phase: 'finished' });
    expect(view.steps[0]!.notes.join()).toMatch(/Going on from the checkpoint/);
    expect(await weights(id, 'lost')).toEqual(expected);
    await stopped(trainer);
  });

  it('is deleted once the trainer has let go of it, and leaves nothing', async () => {
    const trainer = await fleet.trainer(env);
    const { id } = await submitted({ name: 'deleted', steps: [long] });
    await watch(id, hasCheckpoint);
    await post(`/v1/training/${id}/cancel`, {});
    const remove = (): Promise<Response> => get(`/v1/training/${id}`, { method: 'DELETE' });
    expect((await remove()).status).toBe(409);
    for (let status = 409; status !== 204; status = (await remove()).status) {
      expect(status).toBe(409);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await readdir(join(fleet.folder, 'trainings'))).not.toContain(id);
    await stopped(trainer);
  });

  it('fails where trainer after trainer dies with it, and says so', async () => {
    const few = { ...env, SLUICE_TRAINER_ATTEMPTS: '2' };
    const { id } = await submitted({ name: 'deadly', steps: [{ ...long, checkpointSteps: 100_000 }] });
    for (let death = 0; death < 2; death += 1) {
      const trainer = await fleet.trainer(few);
      await watch(id, ({ phase, deaths }) => phase === 'running' && deaths === death);
      trainer.kill('SIGKILL');
      await trainer.ended;
    }
    const last = await fleet.trainer(few);
    const view = await over(id);
    expect(view).toMatchObject({ phase: 'failed', error: '2 trainers died with it, one after the other.' });
    await stopped(last);
  });
});

it('is promoted by who may promote alone', async () => {
  const key = 'a-key-of-a-submitter';
  const keysFile = join(fleet.folder, 'keys.json');
  const sha256 = createHash('sha256').update(key).digest('hex');
  await writeFile(keysFile, JSON.stringify([{ id: 'submitter', sha256, scope: 'submit' }]));
  const guarded = await fleet.producer({ ...env, SLUICE_PRODUCER_KEYS_FILE: keysFile });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const send = (path: string, body: object): Promise<Response> =>
    fetch(guarded.api + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const step = { kind: 'compile', base: 'letters' };
  const refused = await send('/v1/training', { name: 'letters', promote: true, steps: [step] });
  expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('scope admin')]);
  expect((await send('/v1/models/letters/promote', { version: 2 })).status).toBe(403);
  expect((await send('/v1/training', { name: 'letters', steps: [step] })).status).toBe(201);
  guarded.kill('SIGTERM');
  expect(await guarded.ended).toBe(0);
});

describe('what cannot be trained', () => {
  it.each([
    ['an unknown base', { ...learning, base: 'none' }, /no checkpoint "none"\. Checkpoints: letters;/],
    ['a base that is a path', { ...learning, base: '../letters' }, /no checkpoint "\.\.\/letters"/],
    ['a corpus that was not uploaded', { ...learning, data: 'none.jsonl' }, /takes uploads only/],
    ['a distillation without a base', distilling, /steps\[0\] \(distil\) needs a base/],
    ['an option that there is not', { ...learning, epoch: 3 }, /epoch/],
  ])('%s is refused at once, and leaves nothing', async (_, step, problem) => {
    const before = await readdir(join(fleet.folder, 'trainings'));
    const answer = await submit({ name: 'letters', steps: [step] });
    expect(answer.status).toBe(400);
    const { error }: { error: { message: string } } = JSON.parse(await answer.text());
    expect(error.message).toMatch(problem);
    expect(await readdir(join(fleet.folder, 'trainings'))).toEqual(before);
  });

  it('is told where only the texts show it', async () => {
    const trainer = await fleet.trainer(env);
    const oneClass = new Map([
      ['train.jsonl', jsonLines(letters.rows(20).map(({ text }) => ({ text, label: 'x' })))],
    ]);
    const { dev: _, ...step } = learning;
    const answer = await submit({ name: 'letters', steps: [step] }, oneClass);
    const { id }: TrainingView = JSON.parse(await answer.text());
    const view = await over(id);
    expect(view).toMatchObject({
      phase: 'failed',
      error: expect.stringMatching(/all 20 rows have the label "x"/),
      steps: [{ phase: 'failed' }],
    });
    await stopped(trainer);
    await rm(join(fleet.folder, 'trainings', id), { recursive: true });
  });
});
