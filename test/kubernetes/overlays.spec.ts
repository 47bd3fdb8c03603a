/** Every overlay of k8s/, built: its objects, and what they promise. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { metricList } from '#metrics/metric-list.js';
import { projectFolder } from '../project-folder.js';
import { flowsPage } from './flows-page.js';
import type { NetworkFlows } from './network-flows.js';
import { networkFlows } from './network-flows.js';
import type { KubeObject } from './overlays.js';
import { overlayNames, overlayObjects, titleOf } from './overlays.js';
import { podProblems, servicesOf } from './pod-promises.js';
import { prometheusRule, prometheusRuleFile } from './prometheus-rule.js';
import { PublishedSchemas } from './published-schemas.js';
import { serviceProblems } from './service-settings.js';

let schemas: PublishedSchemas;
const built = new Map<string, KubeObject[]>();
beforeAll(async () => {
  schemas = await PublishedSchemas.open();
  for (const name of overlayNames) built.set(name, await overlayObjects(name));
}, 600_000);

const find = (objects: readonly KubeObject[], kind: string): KubeObject[] =>
  objects.filter((each) => each.kind === kind);

describe.each(overlayNames)('overlay %s', (name) => {
  const objects = (): KubeObject[] => built.get(name)!;

  it('has objects that their published schemas allow', () => {
    const problems = objects().flatMap((object) =>
      schemas.problems(object).map((problem) => `${titleOf(object)}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('is all in the namespace that enforces the restricted standard', () => {
    const [namespace] = find(objects(), 'Namespace');
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    for (const object of objects().filter(({ kind }) => kind !== 'Namespace'))
      expect(object.metadata.namespace, titleOf(object)).toBe(namespace?.metadata.name);
  });

  it('keeps what it promises of each pod', () => {
    expect(objects().flatMap((object) => podProblems(object, objects()))).toEqual([]);
  });

  it('has settings that the services take, and ends none of them before it has drained', () => {
    const services = servicesOf(objects());
    expect(services.map(({ component }) => component)).toEqual(
      expect.arrayContaining(['producer', 'trainer', 'worker']),
    );
    expect(services.flatMap((service) => serviceProblems(service))).toEqual([]);
  });

  it('scales nothing by two things at once, and nothing that is not there', () => {
    const targets = [...find(objects(), 'ScaledObject'), ...find(objects(), 'HorizontalPodAutoscaler')].map(
      ({ metadata }) => metadata.name,
    );
    const workers = find(objects(), 'Deployment').filter(
      ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === 'worker',
    );
    expect(targets.sort()).toEqual(name === 'dev' ? [] : workers.map(({ metadata }) => metadata.name).sort());
    // A number there would undo at every kubectl apply what the autoscaler did.
    for (const { spec } of workers) expect(spec).not.toHaveProperty('replicas');
  });
});

const wrong = (object: KubeObject | undefined, change: object): string[] =>
  schemas.problems({ ...object!, spec: { ...asRecord(object!['spec']), ...change } });
const asRecord = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

it('the schemas notice a misspelt field, a wrong type, and what is missing, in custom kinds as well', () => {
  const [deployment] = find(built.get('cpu')!, 'Deployment');
  const [scaled] = find(built.get('cpu')!, 'ScaledObject');
  const [monitor] = find(built.get('cpu')!, 'PodMonitor');
  expect(wrong(deployment, { replicsa: 1 })).toEqual([expect.stringContaining('replicsa')]);
  expect(wrong(deployment, { replicas: 'two' })).toEqual([expect.stringContaining('must be integer')]);
  expect(wrong(deployment, { template: undefined })).toEqual([expect.stringContaining('template')]);
  expect(wrong(scaled, { maxReplicaCount: 'many' })).toEqual([expect.stringContaining('must be integer')]);
  expect(wrong(scaled, { maxReplicas: 3 })).toEqual([expect.stringContaining('maxReplicas')]);
  expect(wrong(monitor, { selector: undefined })).toEqual([expect.stringContaining('selector')]);
});

describe('network policies', () => {
  let flows: Map<string, NetworkFlows>;
  beforeAll(() => {
    flows = new Map(overlayNames.map((name) => [name, networkFlows(built.get(name)!)]));
  });

  it('allow on one side nothing that the other refuses', () => {
    for (const { halfOpen } of flows.values()) expect(halfOpen).toEqual([]);
  });

  it('allow what docs/kubernetes-flows.md lists, and no more', async () => {
    const page = flowsPage(new Map(Array.from(flows, ([name, { allowed }]) => [name, allowed])));
    await expect(page).toMatchFileSnapshot(join(projectFolder, 'docs/kubernetes-flows.md'));
  });
});

it('autoscalers ask for metrics that producers tell, with labels that they and the PodMonitor give', () => {
  const queries = [
    ...JSON.stringify(find(built.get('cpu')!, 'ScaledObject')).matchAll(
      /"query":"max\(sluice_(\w+)\{(.+?)\}\)"/g,
    ),
  ];
  expect(queries).toHaveLength(6);
  const metrics = new Map<string, { readonly labels: readonly string[] }>(Object.entries(metricList));
  for (const [query, metric, matchers] of queries) {
    const labels = matchers!.split(',').map((matcher) => matcher.split('=')[0]);
    const told = metrics.get(metric!)?.labels ?? [];
    expect(new Set(labels), query).toEqual(new Set([...told, 'namespace']));
  }
});

it('the rules for the Prometheus operator are those of deploy/prometheus/rules', async () => {
  await expect(prometheusRule()).toMatchFileSnapshot(prometheusRuleFile);
});
