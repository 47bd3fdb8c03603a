/** The patch of `sluice plan`, in overlays of an operator's own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { projectFolder } from '../project-folder.js';
import { runCli, spamBundle } from '../run-cli.js';
import type { KubeObject } from './overlays.js';
import { kustomized, objectsOf, titleOf } from './overlays.js';
import { PublishedSchemas } from './published-schemas.js';

const replicas = [3, 2, 1] as const;
const stages = ['base', 'stages/1', 'stages/2', 'stages/3'] as const;

const isComponent = (part: string): boolean => part.startsWith('components/');
const isThreads = ({ name }: { name: string }): boolean => name === 'SLUICE_WORKER_THREADS';
const isOfStage = ({ metadata }: KubeObject): boolean => metadata.name.startsWith('sluice-worker-stage-');
const others = (objects: readonly KubeObject[]): KubeObject[] =>
  objects.filter((object) => !isOfStage(object));

let folder: string;
let schemas: PublishedSchemas;
beforeAll(async () => {
  schemas = await PublishedSchemas.open();
  folder = await mkdtemp(join(tmpdir(), 'sluice-plan-patch-'));
  // Measured once; every test plans from it.
  await plan('--save-pilot', 'pilot.json');
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @param parts below k8s/ @param patches of the overlay's folder */
async function build(parts: readonly string[], patches: readonly string[]): Promise<KubeObject[]> {
  const path = (part: string): string => relative(folder, join(projectFolder, 'k8s', part));
  const kustomization = {
    namespace: 'sluice',
    resources: parts.filter((part) => !isComponent(part)).map(path),
    components: parts.filter(isComponent).map(path),
    patches: patches.map((file) => ({ path: file })),
  };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return objectsOf(await kustomized(folder));
}

async function plan(...options: string[]): Promise<void> {
  const goal = ['--rows', '1e6', '--replicas', replicas.join(',')];
  const { end, stderr } = await runCli(['plan', '--model', spamBundle, ...goal, ...options], { cwd: folder });
  expect(end, stderr).toBe(0);
}

const containerSchema = z.looseObject({
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
  resources: z.looseObject({ requests: z.record(z.string(), z.string()) }),
});
const specSchema = z.looseObject({
  template: z.looseObject({ spec: z.looseObject({ containers: z.tuple([containerSchema]) }) }),
});

interface WorkerPod {
  readonly threads: string | undefined;
  readonly cores: string | undefined;
  /** Without these two. */
  readonly rest: unknown;
}

/** What runs at each stage. */
function workersOf(objects: readonly KubeObject[]): WorkerPod[] {
  return objects
    .filter((object) => object.kind === 'Deployment' && isOfStage(object))
    .map((object) => {
      const { template } = specSchema.parse(object['spec']);
      const [{ env, resources, ...container }] = template.spec.containers;
      const { cpu, ...requests } = resources.requests;
      const rest = { env: env.filter((each) => !isThreads(each)), requests, limits: resources['limits'] };
      return {
        threads: env.find(isThreads)?.value,
        cores: cpu,
        rest: { ...template.spec, containers: [{ ...container, ...rest }] },
      };
    });
}

it.each([
  ['deployment', stages, 'Deployment', ['replicas']],
  ['keda', [...stages, 'components/keda'], 'ScaledObject', ['minReplicaCount', 'maxReplicaCount']],
  ['keda', ['overlays/cpu'], 'ScaledObject', ['minReplicaCount', 'maxReplicaCount']],
  ['hpa', ['overlays/cpu-hpa'], 'HorizontalPodAutoscaler', ['minReplicas', 'maxReplicas']],
])('of kind %s sets the workers of %s and leaves all else', async (patchKind, parts, kind, fields) => {
  const workers = ['--threads', '2', '--cores', '3'];
  await plan('--pilot', 'pilot.json', ...workers, '--patch', 'replicas.yaml', '--patch-kind', patchKind);
  const before = await build(parts, []);
  const after = await build(parts, ['replicas.yaml']);
  expect(after.map(titleOf)).toEqual(before.map(titleOf));
  expect(after.flatMap((object) => schemas.problems(object))).toEqual([]);
  const counts = after
    .filter((object) => object.kind === kind && isOfStage(object))
    .map(({ spec }) => z.record(z.string(), z.unknown()).parse(spec))
    .map((spec) => fields.map((field) => spec[field]));
  expect(counts).toEqual(replicas.map((count) => fields.map(() => count)));
  const [pods, were] = [workersOf(after), workersOf(before)];
  expect(pods).toEqual(were.map(({ rest }) => ({ threads: '2', cores: '3', rest })));
  expect(pods).toHaveLength(replicas.length);
  expect(others(after)).toEqual(others(before));
});
