/** Every overlay on a real API server with real controllers, installed as docs/kubernetes.md tells. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectFolder } from '../../project-folder.js';
import { objectsOf, overlayNames, overlayText } from '../overlays.js';
import { crdFiles } from '../published-schemas.js';
import { ControlPlane } from './control-plane.js';

const applyStrictly = ['apply', '--server-side', '--validate=strict', '-f', '-'];
const podsSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) })),
});
const workloadSchema = z.object({ spec: z.object({ replicas: z.int().default(1) }) });

/** With the kinds of KEDA and of the Prometheus operator. */
async function startCluster(): Promise<ControlPlane> {
  const plane = await ControlPlane.start();
  for (const path of await crdFiles()) plane.asked(['apply', '--server-side', '-f', path]);
  plane.asked(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  return plane;
}

describe.each(overlayNames)('overlay %s', (name) => {
  let plane: ControlPlane;
  let text: string;
  beforeAll(async () => {
    text = await overlayText(name);
    plane = await startCluster();
  });
  afterAll(() => plane?.stop());

  it('is applied, validated strictly, with no warning', () => {
    const { status, stdout, stderr } = plane.kubectl(applyStrictly, text);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(objectsOf(text).length);
    console.log(`${name}: ${objectsOf(text).length} objects applied.`);
  });

  it('takes the secrets that make-secrets.sh makes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
    try {
      const made = spawnSync(join(projectFolder, 'k8s/make-secrets.sh'), [join(folder, 'secrets')], {
        encoding: 'utf8',
      });
      expect(made.status, made.stderr).toBe(0);
      const commands = made.stdout.matchAll(/^ {2}kubectl (.+)$/gm);
      const done = Array.from(commands, ([, command]) => plane.asked(command!.split(' ')));
      expect(done).toEqual(['secret/sluice-redis created\n', 'secret/sluice-keys created\n']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gets every pod that it asks for, under the restricted standard', async () => {
    const expected = objectsOf(text)
      .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
      .map((object) => [object.metadata.name, workloadSchema.parse(object).spec.replicas]);
    const pods = (): unknown => {
      const { items } = podsSchema.parse(
        JSON.parse(plane.asked(['get', 'pods', '-n', 'sluice', '-o', 'json'])),
      );
      const counts = new Map<string, number>();
      for (const { metadata } of items) {
        const { 'app.kubernetes.io/component': component, 'sluice/stage': stage } = metadata.labels;
        const suffix = stage === undefined ? '' : stage === 'all' ? '-all' : `-stage-${stage}`;
        const workload = `sluice-${component}${suffix}`;
        counts.set(workload, (counts.get(workload) ?? 0) + 1);
      }
      return Object.fromEntries(counts);
    };
    await expect.poll(pods, { timeout: 60_000, interval: 500 }).toEqual(Object.fromEntries(expected));
    const refused = plane.asked(['get', 'events', '-n', 'sluice', '--field-selector=reason=FailedCreate']);
    expect(refused).toBe('');
  });

  it('is as it was applied: nothing of it is changed or dropped by the server', () => {
    const diff = ['diff', '--server-side', '-f', '-'];
    expect(plane.kubectl(diff, text)).toEqual({ status: 0, stdout: '', stderr: '' });
    const changed = text.replaceAll('terminationGracePeriodSeconds: 60', 'terminationGracePeriodSeconds: 61');
    expect(plane.kubectl(diff, changed).stdout).toContain('+      terminationGracePeriodSeconds: 61');
  });
});

describe('the server refuses', () => {
  let plane: ControlPlane;
  let text: string;
  beforeAll(async () => {
    text = await overlayText('cpu');
    plane = await startCluster();
    plane.asked(applyStrictly, text);
  });
  afterAll(() => plane?.stop());

  it.each([
    [
      'a misspelt field',
      'terminationGracePeriodSeconds',
      'terminationGraceSeconds',
      /terminationGraceSeconds/,
    ],
    ['a misspelt field of a ScaledObject', 'cooldownPeriod', 'coolDownPeriod', /coolDownPeriod/],
    ['a wrong type in a ScaledObject', 'maxReplicaCount: 16', 'maxReplicaCount: many', /maxReplicaCount/],
    ['a PodMonitor without endpoints', 'podMetricsEndpoints:', 'podMetricEndpoints:', /podMetricEndpoints/],
  ])('%s', (_, from, to, reason) => {
    const { status, stderr } = plane.kubectl(applyStrictly, text.replaceAll(from, to));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(reason);
  });

  it('a pod that runs as root', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'root', namespace: 'sluice' },
      spec: { containers: [{ name: 'root', image: 'redis:7.2.7' }] },
    };
    const { status, stderr } = plane.kubectl(applyStrictly, JSON.stringify(pod));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/violates PodSecurity "restricted:latest".*runAsNonRoot/);
  });
});
