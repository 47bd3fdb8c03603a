/** Who may talk to whom, by the NetworkPolicies of a set of objects. */
import { z } from 'zod';
import type { KubeObject } from './overlays.js';

/** Something that may open connections to something. */
export interface NetworkFlow {
  readonly from: string;
  readonly to: string;
  /** Such as `TCP 6379`. */
  readonly port: string;
}

export interface NetworkFlows {
  /** What both sides allow. */
  readonly allowed: readonly NetworkFlow[];
  /** What one side allows, and the other does not: of no use. */
  readonly halfOpen: readonly NetworkFlow[];
}

/** Pods of one workload. */
interface Workload {
  readonly name: string;
  readonly labels: Labels;
  readonly ports: ReadonlyMap<string, number>;
}

type Labels = Readonly<Record<string, string>>;

const labels = z.record(z.string(), z.string());
const selector = z.strictObject({
  matchLabels: labels.default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .default([]),
});
const peer = z.strictObject({ podSelector: selector.optional(), namespaceSelector: selector.optional() });
const rule = z.strictObject({
  from: z.array(peer).optional(),
  to: z.array(peer).optional(),
  ports: z.array(z.strictObject({ protocol: z.string(), port: z.union([z.string(), z.int()]) })).min(1),
});
const policySchema = z.object({
  spec: z.strictObject({
    podSelector: selector,
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
    ingress: z.array(rule).default([]),
    egress: z.array(rule).default([]),
  }),
});
const workloadSchema = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        containers: z.array(
          z.object({ ports: z.array(z.object({ name: z.string(), containerPort: z.int() })).default([]) }),
        ),
      }),
    }),
  }),
});

const ANY = 'any';

type Selector = z.infer<typeof selector>;
type Policy = z.infer<typeof policySchema>['spec'];
type Rule = z.infer<typeof rule>;

/**
 * The flows between the workloads of one namespace, and those from and to other namespaces.
 * @throws Error where no policy isolates all pods, whichever there may be, in both directions
 */
export function networkFlows(objects: readonly KubeObject[]): NetworkFlows {
  const workloads = objects
    .filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
    .map(workloadOf);
  const policies = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((object) => policySchema.parse(object).spec);
  expectIsolation(policies);
  const allowed: NetworkFlow[] = [];
  const halfOpen: NetworkFlow[] = [];
  for (const from of workloads) {
    for (const to of workloads) {
      const out = portsTo(rulesOf(policies, 'Egress', from), to, to);
      const into = portsTo(rulesOf(policies, 'Ingress', to), from, to);
      for (const port of new Set([...out, ...into])) {
        const side = out.includes(port) && into.includes(port) ? allowed : halfOpen;
        side.push({ from: from.name, to: to.name, port });
      }
    }
  }
  for (const workload of workloads) {
    for (const each of rulesOf(policies, 'Ingress', workload)) {
      const ports = each.ports.map((port) => shownPort(port, workload));
      for (const from of outsidersOf(each))
        allowed.push(...ports.map((port) => ({ from, to: workload.name, port })));
    }
    for (const each of rulesOf(policies, 'Egress', workload)) {
      const ports = each.ports.map((port) => shownPort(port));
      for (const to of outsidersOf(each))
        allowed.push(...ports.map((port) => ({ from: workload.name, to, port })));
    }
  }
  return { allowed: allowed.sort(byName), halfOpen: halfOpen.sort(byName) };
}

const byName = (a: NetworkFlow, b: NetworkFlow): number =>
  [a.to, a.from, a.port].join(' ').localeCompare([b.to, b.from, b.port].join(' '));

function workloadOf(object: KubeObject): Workload {
  const { metadata, spec } = workloadSchema.parse(object).spec.template;
  const ports = spec.containers.flatMap((container) => container.ports);
  return {
    name: object.metadata.name,
    labels: metadata.labels,
    ports: new Map(ports.map(({ name, containerPort }) => [name, containerPort])),
  };
}

function expectIsolation(policies: readonly Policy[]): void {
  const isolates = policies.some(
    ({ podSelector, policyTypes }) => policyTypes.length === 2 && shown(podSelector) === ANY,
  );
  if (!isolates)
    throw new Error(
      'No NetworkPolicy selects all pods for Ingress and Egress: what no other selects is open.',
    );
}

function rulesOf(policies: readonly Policy[], type: 'Ingress' | 'Egress', { labels }: Workload): Rule[] {
  return policies
    .filter(({ podSelector, policyTypes }) => policyTypes.includes(type) && selects(podSelector, labels))
    .flatMap(({ ingress, egress }) => (type === 'Ingress' ? ingress : egress));
}

const peersOf = ({ from, to }: Rule): z.infer<typeof peer>[] => {
  const peers = from ?? to;
  if (peers === undefined) throw new Error('A rule of a NetworkPolicy names no peers: it allows everyone.');
  return peers;
};

/** Ports of the rules whose peer is a workload of the same namespace. */
function portsTo(rules: readonly Rule[], other: Workload, server: Workload): string[] {
  return rules
    .filter((each) =>
      peersOf(each).some(
        ({ podSelector, namespaceSelector }) =>
          namespaceSelector === undefined && podSelector !== undefined && selects(podSelector, other.labels),
      ),
    )
    .flatMap(({ ports }) => ports.map((port) => shownPort(port, server)));
}

/** Peers in other namespaces, in words. */
function outsidersOf(each: Rule): string[] {
  return peersOf(each).flatMap(({ podSelector, namespaceSelector }) => {
    if (namespaceSelector === undefined) return [];
    const pods = podSelector === undefined ? 'all pods' : `pods ${shown(podSelector)}`;
    return [`${pods} of namespaces ${shown(namespaceSelector)}`];
  });
}

function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}

const shown = ({ matchLabels, matchExpressions }: Selector): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, values }) => `${key} in ${values.join(', ')}`),
  ].join(', ') || ANY;

function shownPort({ protocol, port }: Rule['ports'][number], server?: Workload): string {
  const number = typeof port === 'number' ? port : server?.ports.get(port);
  if (number === undefined)
    throw new Error(`${server?.name ?? 'A pod elsewhere'} has no port called ${port}.`);
  return `${protocol} ${number}`;
}
