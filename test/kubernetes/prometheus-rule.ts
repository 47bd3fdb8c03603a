/** The rules of deploy/prometheus/rules as the object that the Prometheus operator reads. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { projectFolder } from '../project-folder.js';

const rules = join(projectFolder, 'deploy/prometheus/rules');
const fileSchema = z.strictObject({ groups: z.array(z.json()) });

/** Where the object is kept. */
export const prometheusRuleFile = join(projectFolder, 'k8s/components/monitoring/prometheus-rule.yaml');

/** @returns YAML, with the groups of all files in the order of their names */
export function prometheusRule(): string {
  const names = existsSync(rules) ? readdirSync(rules).filter((name) => name.endsWith('.yaml')) : [];
  const groups = names
    .sort()
    .flatMap((name) => fileSchema.parse(parse(readFileSync(join(rules, name), 'utf8'))).groups);
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'sluice', labels: { 'app.kubernetes.io/name': 'sluice' } },
    spec: { groups },
  };
  return `# Written by npm run k8s:write from deploy/prometheus/rules; change it there.\n${stringify(object, { lineWidth: 0 })}`;
}
