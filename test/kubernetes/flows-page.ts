/** docs/kubernetes-flows.md, from what the overlays allow. */
import type { NetworkFlow } from './network-flows.js';

const intro = `# Who talks to whom on Kubernetes

All flows that the NetworkPolicies of \`k8s/\` allow. Everything else is refused, in both directions. This page is written by
\`npm run k8s:write\` from the built overlays, and \`npm test\` checks it. Kubelets reach the probes of their own pods whatever
policies say.
`;

/** @param flows of each overlay */
export function flowsPage(flows: ReadonlyMap<string, readonly NetworkFlow[]>): string {
  const overlays = new Map<string, string[]>();
  for (const [name, allowed] of flows) {
    const table = ['| from | to | port |', '| --- | --- | --- |', ...allowed.map(line)].join('\n');
    overlays.set(table, [...(overlays.get(table) ?? []), name]);
  }
  const parts = Array.from(overlays, ([table, names]) => `## ${names.join(', ')}\n\n${table}\n`);
  return [intro, ...parts].join('\n');
}

const line = ({ from, to, port }: NetworkFlow): string => `| ${from} | ${to} | ${port} |`;
