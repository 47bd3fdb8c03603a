/** The rules, by Prometheus' own tool: alerts fire where they should, and their sections are there. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { metricList } from '#metrics/metric-list.js';
import { projectFolder } from '../project-folder.js';
import { alerts, allQueries, prometheusFolder, rules } from './deploy-files.js';

const testFile = join(projectFolder, 'test/prometheus/alerts.test.yaml');

interface RuleTest {
  readonly name: string;
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

const { tests }: { tests: readonly RuleTest[] } = parse(readFileSync(testFile, 'utf8'));

/** @returns what it printed */
async function promtool(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('promtool', args).catch(
    (error: { code?: unknown; stdout?: string; stderr?: string }) => {
      if (error.code !== 'ENOENT') throw new Error(`${error.stdout}${error.stderr}`);
      throw new Error('This test needs promtool: install it (Debian: apt-get install prometheus).');
    },
  );
  return stdout + stderr;
}

it('rules record, and alerts fire, as their test file says', async () => {
  expect(await promtool('test', 'rules', testFile)).toContain('SUCCESS');
});

it('the configuration for compose files and its rules are valid', async () => {
  await promtool('check', 'config', '--lint=all', '--lint-fatal', join(prometheusFolder, 'prometheus.yaml'));
});

it('the configuration for Kubernetes is valid, but for the discovery that Debian builds Prometheus without', async () => {
  const config = parse(await readFile(join(prometheusFolder, 'kubernetes.yaml'), 'utf8'));
  const [{ kubernetes_sd_configs: discovery, ...job }] = config.scrape_configs;
  expect(discovery).toEqual([{ role: 'pod', namespaces: { names: ['sluice'] } }]);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-prometheus-'));
  const path = join(folder, 'prometheus.yaml');
  await writeFile(path, stringify({ ...config, scrape_configs: [{ ...job, static_configs: [] }] }));
  try {
    await promtool('check', 'config', path);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe.each(alerts)('$alert', ({ alert, annotations, labels }) => {
  it('fires in a test, after one in which it does not yet, and is silent in a healthy and an idle fleet', () => {
    const outcomes = tests.map(({ name, alert_rule_test: cases }) => ({
      name,
      fires: cases
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts }) => exp_alerts.length > 0),
    }));
    const of = (name: string): readonly boolean[] | undefined =>
      outcomes.find((outcome) => outcome.name === name)?.fires;
    expect([of('healthy'), of('idle')]).toEqual([[false], [false]]);
    expect(outcomes.some(({ fires }) => fires[0] === false && fires.includes(true))).toBe(true);
  });

  it('says how bad it is, what it is, and where to read what to do', async () => {
    expect(['warning', 'critical']).toContain(labels?.['severity']);
    expect(annotations?.['summary']).toMatch(/\S/);
    const [, page = '', anchor] = /\((docs\/\S+)#(\S+)\)$/.exec(annotations?.['runbook'] ?? '') ?? [];
    const headings = (await readFile(join(projectFolder, page), 'utf8')).match(/^#+ .*$/gm) ?? [];
    // As GitHub makes anchors of headings of one word.
    const anchors = headings.map((heading) => heading.replace(/^#+ /, '').toLowerCase());
    expect(anchors).toContain(anchor);
  });
});

it('queries ask for metrics that the services have, and for what rules record', () => {
  const known = new Set(
    Object.entries(metricList).flatMap(([name, { kind }]) =>
      (kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((end) => `sluice_${name}${end}`),
    ),
  );
  for (const { record } of rules) if (record !== undefined) known.add(record);
  const asked = new Set(allQueries.flatMap((query) => query.match(/\bsluice[_:][\w:]+/g) ?? []));
  expect([...asked].filter((name) => !known.has(name))).toEqual([]);
});
