import { stringify } from 'yaml';

/** What a patch is of: the Deployments themselves, or what scales them, which then keeps as many. */
export const patchKinds = ['deployment', 'keda', 'hpa'] as const;
export type PatchKind = (typeof patchKinds)[number];

/** As the manifests in k8s name them. */
const WORKER_OF_STAGE = 'sluice-worker-stage-';
const CONTAINER = 'worker';
/** Of a worker in the manifests: inference threads, and cores that it asks for. */
const MANIFEST_THREADS = 1;
const MANIFEST_CORES = 1;

/** What of a plan the manifests are told. */
export interface PlannedWorkers {
  /** Of the stages. */
  readonly replicas: readonly number[];
  /** Of each worker. */
  readonly threads: number;
  readonly cores: number;
  /** Variables that the plan counts on. */
  readonly settings: Readonly<Record<string, number>>;
}

/** A patch for kustomize: the workers of each stage, a document each, below the settings that the plan counts on. */
export function replicaPatch(planned: PlannedWorkers, kind: PatchKind): string {
  const { replicas, threads, cores, settings } = planned;
  const head = [
    "# Written by sluice plan. In an overlay's kustomization.yaml: patches: [{ path: <this file> }]",
    '# The plan counts on these settings as well; put them into settings.yaml, where it has less:',
    ...Object.entries(settings).map(([name, value]) => `#   ${name}=${value}`),
  ];
  const isOfManifests = threads === MANIFEST_THREADS && cores === MANIFEST_CORES;
  const objects = replicas.flatMap((count, index) => {
    // Without a namespace it is found both where the same overlay sets one and where that below has.
    const metadata = { name: `${WORKER_OF_STAGE}${index + 1}` };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata };
    const template = isOfManifests ? {} : { template: templateOf(threads, cores) };
    if (kind === 'deployment') return [{ ...deployment, spec: { replicas: count, ...template } }];
    const scaler = { ...scalerOf(kind), metadata, spec: boundsOf(kind, count) };
    return isOfManifests ? [scaler] : [scaler, { ...deployment, spec: template }];
  });
  return `${head.join('\n')}\n${objects.map((object) => stringify(object)).join('---\n')}`;
}

function templateOf(threads: number, cores: number): object {
  const container = {
    name: CONTAINER,
    env: [{ name: 'SLUICE_WORKER_THREADS', value: String(threads) }],
    resources: { requests: { cpu: String(cores) } },
  };
  return { spec: { containers: [container] } };
}

type Scaler = Exclude<PatchKind, 'deployment'>;

function scalerOf(kind: Scaler): { readonly apiVersion: string; readonly kind: string } {
  switch (kind) {
    case 'keda':
      return { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' };
    case 'hpa':
      return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
  }
}

/** The least as well: by what waits, or by processor time, there would be fewer, and the run would end late. */
function boundsOf(kind: Scaler, count: number): Readonly<Record<string, number>> {
  switch (kind) {
    case 'keda':
      return { minReplicaCount: count, maxReplicaCount: count };
    case 'hpa':
      return { minReplicas: count, maxReplicas: count };
  }
}
