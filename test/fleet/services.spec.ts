/** Producer and workers as users run them: what comes out is what `sluice label` writes. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '#run/run-view.js';
import { jsonLines, mailSample } from '../mail-sample.js';
import { runCli, spamBundle } from '../run-cli.js';
import type { Producer, Service } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const SPEED = '0.03';
/** Between two times that a producer brings its gauges up to date. */
const GAUGES_MS = 1000;
/** The long runs here are rows that repeat, and must last. */
const computesAll = { SLUICE_WORKER_DEDUPE_MEMORY: '0' };
let fleet: ServiceFleet;
let producer: Producer;
let workers: Service[];
let expected: string;
let corpus: string;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  const input = join(fleet.folder, 'input');
  await mkdir(input);
  corpus = join(input, 'mails.jsonl');
  await writeFile(corpus, `${jsonLines(await mailSample(400, 160))}{"no":"text"}\n`);
  [producer, ...workers] = await Promise.all([
    fleet.producer({ SLUICE_PRODUCER_INPUT_ROOT: input, SLUICE_PRODUCER_FEED_CHUNK_ROWS: '64' }),
    fleet.worker({ SLUICE_STAGES: '1', ...computesAll }),
    fleet.worker({ SLUICE_STAGES: '2-3', ...computesAll }),
  ]);
  const out = join(fleet.folder, 'expected.jsonl');
  const args = ['label', corpus, '--model', spamBundle, '--speed', SPEED, '--probabilities', '--out', out];
  const { end, stderr } = await runCli(args);
  expect(end, stderr).toBe(0);
  expected = await readFile(out, 'utf8');
});
afterAll(() => fleet.stop());

const sluice = (...args: string[]): ReturnType<typeof runCli> =>
  runCli(args, { cwd: fleet.folder, env: { SLUICE_SERVER: producer.api } });

async function submitted(...args: string[]): Promise<RunView> {
  const { end, stdout, stderr } = await sluice(
    'submit',
    ...args,
    '--model',
    'spam',
    '--speed',
    SPEED,
    '--json',
  );
  expect(end, stderr).toBe(0);
  return JSON.parse(stdout);
}

const get = async (path: string, init?: RequestInit): Promise<Response> => fetch(producer.api + path, init);

const metrics = async (): Promise<string> => (await fetch(`${producer.admin}/metrics`)).text();

describe('a run of the fleet', () => {
  let run: RunView;

  it('is submitted, watched and fetched, and is what sluice label writes', async () => {
    run = await submitted(corpus, '--probabilities', '--watch');
    expect(run).toMatchObject({ phase: 'finished', report: { rows: 401, accepted: 400, rejected: 1 } });
    const { end, stderr } = await sluice('fetch', run.id, '--out', 'fetched.jsonl');
    expect(end, stderr).toBe(0);
    expect(await readFile(join(fleet.folder, 'fetched.jsonl'), 'utf8')).toBe(expected);
    const again = await sluice('fetch', run.id, '--out', 'fetched.jsonl');
    expect([again.end, again.stderr]).toEqual([2, expect.stringContaining('is there already')]);
  });

  it('is counted in the metrics as in its report', async () => {
    const text = await metrics();
    for (const { layer, rows } of run.report!.exits) {
      expect(text).toContain(`sluice_exit_total{model="spam",layer="${layer}"} ${rows}\n`);
      expect(text).toContain(`sluice_uncertainty_count{model="spam",layer="${layer}"} ${rows}\n`);
    }
    const expected = [...text.matchAll(/^sluice_exit_expected_total\{.*\} (.*)$/gm)].map(([, rows]) =>
      Number(rows),
    );
    expect(expected).toHaveLength(7);
    expect(expected.reduce((sum, rows) => sum + rows)).toBeCloseTo(400, 6);
    expect(text).toContain('sluice_rows_total{model="spam",outcome="labelled"} 400\n');
    expect(text).toContain('sluice_rows_total{model="spam",outcome="rejected"} 1\n');
    expect(text).toContain('sluice_workers{model="spam",stage="3"} 1\n');
  });

  it('is in the metrics whole, also while they are brought up to date', async () => {
    const gauges = ['queue_jobs', 'oldest_job_seconds', 'backlog_seconds', 'workers'];
    const until = performance.now() + 3 * GAUGES_MS;
    while (performance.now() < until) {
      const text = await metrics();
      for (const gauge of gauges) expect(text).toMatch(new RegExp(`^sluice_${gauge}\\{.*stage="3"`, 'm'));
    }
  });

  it('gives ranges of its output, and its rejects', async () => {
    const part = await get(run.output!.path, { headers: { range: 'bytes=10-29' } });
    expect([part.status, await part.text()]).toEqual([206, expected.slice(10, 30)]);
    const all = await get(run.output!.path);
    expect([all.status, await all.text()]).toEqual([200, expected]);
    const beyond = await get(run.output!.path, { headers: { range: 'bytes=99999999-' } });
    expect(beyond.status).toBe(416);
    expect(await (await get(`/v1/runs/${run.id}/rejects`)).json()).toMatchObject({ row: 401 });
  });

  it('is fetched on from where a download ended, and checked', async () => {
    const target = join(fleet.folder, 'half.jsonl');
    await writeFile(`${target}.part`, expected.slice(0, 1000));
    expect((await sluice('fetch', run.id, '--out', target)).end).toBe(0);
    expect(await readFile(target, 'utf8')).toBe(expected);
    await writeFile(`${join(fleet.folder, 'other.jsonl')}.part`, `x${expected.slice(1, 1000)}`);
    const other = await sluice('fetch', run.id, '--out', 'other.jsonl');
    expect([other.end, other.stderr]).toEqual([1, expect.stringContaining('is not what the run wrote')]);
  });

  it('is listed, and deleted with its files', async () => {
    expect((await sluice('runs')).stdout).toContain(`${run.id}  finished  spam`);
    expect((await sluice('delete', run.id)).end).toBe(0);
    const gone = await sluice('watch', run.id);
    expect([gone.end, gone.stderr]).toEqual([1, expect.stringContaining(`There is no run ${run.id}`)]);
  });
});

describe('a corpus', () => {
  it('may be a file of the producer, but only below its folder', async () => {
    const { files, id } = await submitted('mails.jsonl', '--on-server', '--limit', '70');
    expect(files).toEqual(['mails.jsonl']);
    const watched = await sluice('watch', id, '--json');
    expect(JSON.parse(watched.stdout)).toMatchObject({ phase: 'finished', report: { rows: 70 } });
    for (const path of ['../expected.jsonl', '/etc/passwd', '%2e%2e/expected.jsonl', 'none.jsonl']) {
      const { end, stderr } = await sluice('submit', path, '--on-server', '--model', 'spam');
      expect([end, stderr]).toEqual([1, expect.stringContaining('input folder of the producer')]);
    }
  });

  it('may be rows of the request, and its output a table', async () => {
    const rows = [{ text: '=1+1, you win' }, { id: 2, text: 'see you at lunch' }];
    const request = { model: 'spam', speed: 0, rows, outFormat: 'csv', spreadsheetSafe: true };
    const answer = await post('/v1/runs', request);
    expect(answer.status).toBe(201);
    const { id }: RunView = JSON.parse(await answer.text());
    expect((await sluice('watch', id, '--quiet')).end).toBe(0);
    const text = await (await get(`/v1/runs/${id}/output`)).text();
    expect(text.split('\n')[1]).toMatch(/^"'=1\+1, you win",,(ham|spam),/);
  });
});

const post = (path: string, body: unknown): Promise<Response> =>
  get(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('texts', () => {
  it('are labelled at once, as a run labels them', async () => {
    const rows: { text: string }[] = expected
      .split('\n')
      .slice(0, 20)
      .map((line) => JSON.parse(line));
    const texts = rows.map(({ text }) => text);
    const answer = await post('/v1/classify', { model: 'spam', speed: Number(SPEED), texts });
    const { results }: { results: object[] } = JSON.parse(await answer.text());
    expect(results[0]).toHaveProperty('exit_layer');
    // The run's rows have the fields of the corpus too.
    expect(rows.map((row, index) => ({ ...row, ...results[index] }))).toEqual(rows);
  });

  it.each([
    [{ model: 'spam', texts: [] }, 400, 'texts'],
    [{ model: 'none', texts: ['a'] }, 404, 'Models: spam'],
    [{ model: '../models/spam', texts: ['a'] }, 404, 'no model'],
    [{ model: 'spam', texts: ['a'], pairs: ['b'] }, 400, 'labels single texts'],
    [{ model: 'spam', texts: ['a'], policy: 'wild' }, 400, "There is no preset 'wild'"],
    [{ model: 'spam', texts: ['a'], policy: { 3: 0.5 } }, 400, 'no threshold for exit 0'],
    [{ model: 'spam', texts: Array.from({ length: 65 }, () => 'a') }, 413, 'at most 64 texts'],
    [{ model: 'spam', texts: ['a'], speeed: 1 }, 400, 'speeed'],
  ])('%j is answered with %i', async (body, status, message) => {
    const answer = await post('/v1/classify', body);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(message)]);
  });
});

describe('services', () => {
  it('tell of the models, their workers and the API', async () => {
    const { models } = JSON.parse(await (await get('/v1/models')).text());
    expect(models).toMatchObject([
      { name: 'spam', labels: ['ham', 'spam'], stages: [{ workers: 1 }, { workers: 1 }, { workers: 1 }] },
    ]);
    const description = JSON.parse(await (await get('/docs-json')).text());
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining([
        '/v1/runs',
        '/v1/runs/{id}',
        '/v1/runs/{id}/events',
        '/v1/classify',
        '/v1/models',
      ]),
    );
    expect((await get('/docs')).status).toBe(200);
    expect((await fetch(`${producer.admin}/queues`)).status).toBe(200);
  });

  it('end a run that is cancelled, and go on with it', async () => {
    const big = join(fleet.folder, 'big.jsonl');
    await writeFile(big, (await readFile(corpus, 'utf8')).repeat(8));
    const { id } = await submitted(big);
    await expect.poll(async () => (await sluice('runs')).stdout).toMatch(new RegExp(`${id}  running`));
    expect((await sluice('cancel', id)).end).toBe(0);
    const watched = await sluice('watch', id);
    expect([watched.end, watched.stderr]).toEqual([1, expect.stringContaining(`Run ${id} is cancelled`)]);
    expect((await get(`/v1/runs/${id}/output`)).status).toBe(409);
    expect((await sluice('resume', id)).end).toBe(0);
    const { stdout } = await sluice('watch', id, '--json');
    expect(JSON.parse(stdout).report).toMatchObject({ rows: 3208, rejected: 8 });
  });

  it('go on with the runs of a producer that was killed, on another', async () => {
    const { id } = await submitted(join(fleet.folder, 'big.jsonl'), '--probabilities');
    await expect.poll(async () => (await get(`/v1/runs/${id}`)).json()).toMatchObject({ phase: 'running' });
    producer.kill('SIGKILL');
    await producer.ended;
    producer = await fleet.producer();
    const { end, stdout, stderr } = await sluice('watch', id, '--json');
    expect(end, stderr).toBe(0);
    expect(JSON.parse(stdout).report).toMatchObject({ rows: 3208, rejected: 8 });
    const output = await (await get(`/v1/runs/${id}/output`)).text();
    expect(output).toBe(expected.repeat(8));
  });

  it('lose nothing while all workers are stopped and started, one after the other', async () => {
    const { id } = await submitted(join(fleet.folder, 'big.jsonl'), '--probabilities');
    for (const stages of ['1', '2-3']) {
      await fleet.worker({ SLUICE_STAGES: stages, ...computesAll });
      const old = workers.shift()!;
      old.kill('SIGTERM');
      expect(await old.ended).toBe('SIGTERM');
    }
    const { end, stderr } = await sluice('watch', id, '--json');
    expect(end, stderr).toBe(0);
    expect(await (await get(`/v1/runs/${id}/output`)).text()).toBe(expected.repeat(8));
    await rm(join(fleet.folder, 'big.jsonl'));
  });
});
