/** What every workload of k8s/ promises: rights, probes, resources, files, spread and budgets. */
import { z } from 'zod';
import type { KubeObject } from './overlays.js';
import { titleOf } from './overlays.js';

const labels = z.record(z.string(), z.string());
const quantities = z.record(z.string(), z.union([z.string(), z.number()]));
const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  startupProbe: z.object({}),
  livenessProbe: z.object({}),
  readinessProbe: z.object({}),
  resources: z.object({ requests: quantities, limits: quantities }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(
    z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
  ),
});
const volumeSchema = z.object({
  name: z.string(),
  configMap: z.object({ name: z.string() }).optional(),
  secret: z
    .object({
      secretName: z.string(),
      items: z.array(z.object({ key: z.string(), path: z.string() })).optional(),
    })
    .optional(),
  persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
  emptyDir: z.object({ sizeLimit: z.string() }).optional(),
});
const podSchema = z.object({
  serviceAccountName: z.literal('sluice'),
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.literal(false),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.object({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().min(1),
    fsGroup: z.int().min(1),
    seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
  }),
  topologySpreadConstraints: z
    .array(z.object({ topologyKey: z.string(), labelSelector: z.object({ matchLabels: labels }) }))
    .default([]),
  containers: z.tuple([containerSchema]),
  volumes: z.array(volumeSchema),
});
const workloadSchema = z.object({
  spec: z.object({
    replicas: z.int().optional(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({ metadata: z.object({ labels }), spec: podSchema }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]),
  }),
});
const budgetSchema = z.object({ spec: z.object({ selector: z.object({ matchLabels: labels }) }) });

export type PodContainer = z.infer<typeof containerSchema>;
export type PodVolume = z.infer<typeof volumeSchema>;

/** A service of Sluice as a cluster runs it. */
export interface PodService {
  readonly name: string;
  readonly component: string;
  readonly container: PodContainer;
  readonly volumes: readonly PodVolume[];
  readonly graceSeconds: number;
  /** Content of the ConfigMaps that it mounts, by name of the volume, then of the file. */
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const isWorkload = ({ kind }: KubeObject): boolean =>
  ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(kind);
const COMPONENT = 'app.kubernetes.io/component';
/** Whose replicas take over from each other. */
const replicated = new Set(['producer', 'worker']);
/** Secrets are made beside the manifests, which hold none. */
const secretKeys: Readonly<Record<string, readonly string[]>> = {
  'sluice-redis': ['password', 'users.acl'],
  'sluice-keys': ['keys.json'],
};

/** @param all objects that are applied with it */
export function podProblems(object: KubeObject, all: readonly KubeObject[]): string[] {
  if (!isWorkload(object)) return [];
  const title = titleOf(object);
  const parsed = workloadSchema.safeParse(object);
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `${title}: ${path.join('.')}: ${message}`);
  const { selector, template, volumeClaimTemplates } = parsed.data.spec;
  const { spec: pod, metadata } = template;
  const [container] = pod.containers;
  const problems: string[] = [];
  const expectThat = (holds: boolean, problem: string): void =>
    void (holds || problems.push(`${title}: ${problem}`));

  for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
    expectThat(resource in container.resources.requests, `requests no ${resource}`);
  for (const resource of ['memory', 'ephemeral-storage'])
    expectThat(resource in container.resources.limits, `has no limit of ${resource}`);
  expectThat(
    /:[\w.-]+$/.test(container.image) && !container.image.endsWith(':latest'),
    `has no pinned image: ${container.image}`,
  );

  const claims = new Set(volumeClaimTemplates.map((claim) => claim.metadata.name));
  for (const { name, mountPath } of container.volumeMounts)
    expectThat(
      claims.has(name) || pod.volumes.some((volume) => volume.name === name),
      `mounts nothing at ${mountPath}`,
    );
  for (const { name, configMap, secret, persistentVolumeClaim } of pod.volumes) {
    expectThat(
      container.volumeMounts.some((mount) => mount.name === name),
      `has a volume ${name} for nothing`,
    );
    for (const [kind, named] of [
      ['ConfigMap', configMap?.name],
      ['PersistentVolumeClaim', persistentVolumeClaim?.claimName],
    ])
      expectThat(
        named === undefined || all.some((each) => each.kind === kind && each.metadata.name === named),
        `mounts ${kind} ${named}, which is not there`,
      );
    for (const { key } of secret?.items ?? [])
      expectThat(
        secretKeys[secret!.secretName]?.includes(key) === true,
        `mounts a secret that nobody makes: ${key}`,
      );
    expectThat(secret === undefined || secret.secretName in secretKeys, `mounts a secret that nobody makes`);
  }

  const selectsOwn = (matchLabels: Readonly<Record<string, string>>): boolean =>
    Object.entries(matchLabels).every(([key, value]) => metadata.labels[key] === value) &&
    Object.keys(selector.matchLabels).every((key) => key in matchLabels);
  if (replicated.has(metadata.labels[COMPONENT] ?? '')) {
    const spread = pod.topologySpreadConstraints.filter(({ labelSelector }) =>
      selectsOwn(labelSelector.matchLabels),
    );
    for (const key of ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'])
      expectThat(
        spread.some(({ topologyKey }) => topologyKey === key),
        `is not spread by ${key}`,
      );
    const budgets = all.filter(
      (each) =>
        each.kind === 'PodDisruptionBudget' && selectsOwn(budgetSchema.parse(each).spec.selector.matchLabels),
    );
    expectThat(budgets.length === 1, `has ${budgets.length} budgets of disruption of its own; expected one`);
  }
  return problems;
}

/** Producers, workers and trainers. */
export function servicesOf(all: readonly KubeObject[]): PodService[] {
  return all.filter(isWorkload).flatMap((object) => {
    const { metadata, spec } = workloadSchema.parse(object).spec.template;
    const component = metadata.labels[COMPONENT] ?? '';
    if (component.startsWith('redis')) return [];
    const files = spec.volumes.flatMap(({ name, configMap }) => {
      const found = all.find((each) => each.kind === 'ConfigMap' && each.metadata.name === configMap?.name);
      return found === undefined ? [] : [[name, labels.parse(found['data'])] as const];
    });
    return {
      name: object.metadata.name,
      component,
      container: spec.containers[0],
      volumes: spec.volumes,
      graceSeconds: spec.terminationGracePeriodSeconds,
      files: new Map(files),
    };
  });
}
