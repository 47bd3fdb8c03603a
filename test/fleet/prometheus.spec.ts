/** A real Prometheus looks at a real fleet through a run: every query of the dashboard and every alert finds what it asks for. */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenTexts } from '#model/bundle/golden.js';
import type { RunView } from '#run/run-view.js';
import { jsonLines } from '../mail-sample.js';
import { alerts, panelQueries } from '../prometheus/deploy-files.js';
import { runCli } from '../run-cli.js';
import { trainingBackend } from '../training/training-backend.js';
import { PrometheusServer } from './prometheus-server.js';
import type { Producer, Service } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const ROWS = 280;
let fleet: ServiceFleet;
let producer: Producer;
let trainer: Service & { readonly admin: string };
let prometheus: PrometheusServer;
let run: RunView;

/** A training of a tiny model that goes on until the fleet is stopped. */
async function train(checkpoints: string): Promise<void> {
  await cp(join(import.meta.dirname, '../fixtures/training'), join(checkpoints, 'letters'), {
    recursive: true,
  });
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCodePoint(97 + index));
  const rows = letters.map((text) => ({ text, label: text < 'n' ? 'early' : 'late' }));
  const step = {
    kind: 'train',
    base: 'letters',
    newHead: true,
    task: 'single',
    backend: trainingBackend,
    data: 'letters.jsonl',
    epochs: 1000,
  };
  const form = new FormData();
  form.set('options', JSON.stringify({ name: 'letters', steps: [step] }));
  form.append('file', new Blob([jsonLines(rows)]), 'letters.jsonl');
  const answer = await fetch(`${producer.api}/v1/training`, { method: 'POST', body: form });
  expect(answer.status, await answer.text()).toBe(201);
}

beforeAll(async () => {
  fleet = await ServiceFleet.start({ maxmemory: '256mb' });
  const checkpoints = join(fleet.folder, 'checkpoints');
  const [fed, first, deep, training] = await Promise.all([
    fleet.producer({ SLUICE_PRODUCER_FEED_CHUNK_ROWS: '64', SLUICE_TRAINING_CHECKPOINTS: checkpoints }),
    fleet.worker({ SLUICE_STAGES: '1' }),
    fleet.worker({ SLUICE_STAGES: '2-3', SLUICE_WORKER_WAIT_MS: '500' }),
    fleet.trainer({ SLUICE_TRAINING_CHECKPOINTS: checkpoints }),
  ]);
  producer = fed;
  trainer = training;
  prometheus = await PrometheusServer.start({
    'sluice-producer': [producer.admin],
    'sluice-worker': [first.admin, deep.admin],
    'sluice-trainer': [trainer.admin],
  });
  // The counters' zeros, or rates would not know of the first rows.
  await fetch(`${producer.api}/v1/models`);
  await prometheus.until(
    'count(sluice_exit_total) > 1 and count(up == 1) == 4 and sum(sluice_requests_total)',
  );
  await fetch(`${producer.api}/v1/models`);
  await train(checkpoints);

  const corpus = join(fleet.folder, 'mails.jsonl');
  const rows = Array.from({ length: ROWS }, (_, row) => ({
    text: `${goldenTexts[row % goldenTexts.length]} ${row}`,
  }));
  await writeFile(corpus, `${jsonLines(rows)}{"no":"text"}\n`);
  const { end, stdout, stderr } = await runCli(
    ['submit', corpus, '--model', 'spam', '--speed', '0.05', '--watch', '--json'],
    { env: { SLUICE_SERVER: producer.api } },
  );
  expect(end, stderr).toBe(0);
  run = JSON.parse(stdout);
  await prometheus.until(`sum(sluice_rows_total) == ${ROWS + 1}`);
  // What rules record of it.
  await prometheus.until('sluice:rejected_share:rate15m > 0');
  await prometheus.until('sum(increase(sluice_training_steps_total[15m])) > 0');
});
afterAll(async () => {
  await prometheus?.stop();
  await fleet?.stop();
});

describe('after a run, beside a training', () => {
  it('Prometheus knows the training from the producer, and its steps from the trainer', async () => {
    for (const expr of ['sluice_trainings{state="running"}', 'sluice_jobs_active{job="sluice-trainer"}']) {
      const [sample] = await prometheus.query(expr);
      expect([expr, sample?.value[1]]).toEqual([expr, '1']);
    }
    const [steps] = await prometheus.query(
      'sluice_training_steps_total{job="sluice-trainer", phase="train"}',
    );
    const metrics = await (await fetch(`${trainer.admin}/metrics`)).text();
    const told = /^sluice_training_steps_total\{phase="train"\} (\d+)$/m.exec(metrics)?.[1];
    expect(Number(steps?.value[1])).toBeGreaterThan(0);
    expect(Number(told)).toBeGreaterThanOrEqual(Number(steps?.value[1]));
  });

  it('Prometheus knows the exits of the report', async () => {
    for (const { layer, rows } of run.report!.exits) {
      const [sample] = await prometheus.query(`sluice_exit_total{model="spam", layer="${layer}"}`);
      expect([layer, Number(sample?.value[1])]).toEqual([layer, rows]);
    }
    const [expected] = await prometheus.query('sum(sluice_exit_expected_total)');
    expect(Number(expected?.value[1])).toBeCloseTo(run.report!.accepted, 6);
  });

  it.each(panelQueries)('the panel %s has data: %s', async (_, expr) => {
    const samples = await prometheus.query(expr);
    expect(samples).not.toHaveLength(0);
    expect(samples.some(({ value }) => Number.isFinite(Number(value[1])))).toBe(true);
  });
});

describe('alerts of a healthy fleet', () => {
  it('are evaluated without an error, and none of them is so much as pending', async () => {
    const rules = await prometheus.rules();
    const wrong = rules.filter(
      ({ health, state }) => health !== 'ok' || (state ?? 'inactive') !== 'inactive',
    );
    expect(wrong).toEqual([]);
    expect(rules.filter(({ type }) => type === 'alerting').map(({ name }) => name)).toEqual(
      alerts.map(({ alert }) => alert),
    );
  });

  // Of comparisons, which rightly give nothing in health; so what they compare must be there.
  it.each(alerts)('$alert compares what is there, and gives nothing', async ({ expr }) => {
    expect(await prometheus.query(expr)).toEqual([]);
    const compared = expr.match(/\b(?:sluice[_:][\w:]+|up)(?:\{[^}]*\})?(?=[^\w(]|$)/g) ?? [];
    expect(compared).not.toHaveLength(0);
    for (const selector of compared) {
      expect([selector, (await prometheus.query(selector)).length]).not.toEqual([selector, 0]);
    }
  });
});
