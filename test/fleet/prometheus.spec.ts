/** A real Prometheus looks at a real fleet through a run: every query of the dashboard and every alert finds what it asks for. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Metrics } from '#metrics/metrics.js';
import { goldenTexts } from '#model/bundle/golden.js';
import type { RunView } from '#run/run-view.js';
import { alerts, panelQueries } from '../prometheus/deploy-files.js';
import { runCli } from '../run-cli.js';
import { PrometheusServer } from './prometheus-server.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const ROWS = 280;
let fleet: ServiceFleet;
let producer: Producer;
let trainer: Server;
let prometheus: PrometheusServer;
let run: RunView;

/** What a trainer tells of a training; the trainer itself is tested elsewhere. */
async function trainerMetrics(): Promise<Server> {
  const metrics = new Metrics(['training_loss', 'training_steps_total', 'trainings']);
  metrics.set('trainings', { state: 'running' }, 1);
  metrics.set('training_loss', { phase: 'train' }, 0.5);
  const server = createServer((_, reply) => {
    metrics.count('training_steps_total', { phase: 'train' });
    void metrics.text().then((text) => reply.setHeader('content-type', metrics.contentType).end(text));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

beforeAll(async () => {
  fleet = await ServiceFleet.start({ maxmemory: '256mb' });
  const [fed, first, deep, training] = await Promise.all([
    fleet.producer({ SLUICE_PRODUCER_FEED_CHUNK_ROWS: '64' }),
    fleet.worker({ SLUICE_STAGES: '1' }),
    fleet.worker({ SLUICE_STAGES: '2-3', SLUICE_WORKER_WAIT_MS: '500' }),
    trainerMetrics(),
  ]);
  producer = fed;
  trainer = training;
  const { port } = Object(trainer.address());
  prometheus = await PrometheusServer.start({
    'sluice-producer': [producer.admin],
    'sluice-worker': [first.admin, deep.admin],
    'sluice-trainer': [`http://127.0.0.1:${port}`],
  });
  // The counters' zeros, or rates would not know of the first rows.
  await fetch(`${producer.api}/v1/models`);
  await prometheus.until(
    'count(sluice_exit_total) > 1 and count(up == 1) == 4 and sum(sluice_requests_total)',
  );
  await fetch(`${producer.api}/v1/models`);

  const corpus = join(fleet.folder, 'mails.jsonl');
  const rows = Array.from({ length: ROWS }, (_, row) => ({
    text: `${goldenTexts[row % goldenTexts.length]} ${row}`,
  }));
  await writeFile(corpus, `${rows.map((row) => `${JSON.stringify(row)}\n`).join('')}{"no":"text"}\n`);
  const { end, stdout, stderr } = await runCli(
    ['submit', corpus, '--model', 'spam', '--speed', '0.05', '--watch', '--json'],
    { env: { SLUICE_SERVER: producer.api } },
  );
  expect(end, stderr).toBe(0);
  run = JSON.parse(stdout);
  await prometheus.until(`sum(sluice_rows_total) == ${ROWS + 1}`);
  // What rules record of it.
  await prometheus.until('sluice:rejected_share:rate15m > 0');
});
afterAll(async () => {
  trainer.close();
  await prometheus.stop();
  await fleet.stop();
});

describe('after a run', () => {
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
