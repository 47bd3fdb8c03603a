import { stringify } from 'yaml';

/** What a patch is of: the Deployments themselves, or what scales them, whose most replicas it sets. */
export const patchKinds = ['deployment', 'keda', 'hpa'] as const;
export type PatchKind = (typeof patchKinds)[number];

/** As the manifests in k8s name them. */
const WORKER_OF_STAGE = 'sluice-worker-stage-';
const NAMESPACE = 'sluice';

/**
 * A patch for kustomize: the workers of each stage, a document each.
 * @param replicas of the stages
 */
export function replicaPatch(replicas: readonly number[], kind: PatchKind): string {
  const use =
    "# Written by sluice plan. In an overlay's kustomization.yaml: patches: [{ path: <this file> }]\n";
  return (
    use +
    replicas
      .map((count, index) => {
        const metadata = { name: `${WORKER_OF_STAGE}${index + 1}`, namespace: NAMESPACE };
        return stringify({ ...objectOf(kind), metadata, spec: specOf(kind, count) });
      })
      .join('---\n')
  );
}

function objectOf(kind: PatchKind): { readonly apiVersion: string; readonly kind: string } {
  switch (kind) {
    case 'deployment':
      return { apiVersion: 'apps/v1', kind: 'Deployment' };
    case 'keda':
      return { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' };
    case 'hpa':
      return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
  }
}

function specOf(kind: PatchKind, count: number): Readonly<Record<string, number>> {
  switch (kind) {
    case 'deployment':
      return { replicas: count };
    case 'keda':
      return { maxReplicaCount: count };
    case 'hpa':
      return { maxReplicas: count };
  }
}
