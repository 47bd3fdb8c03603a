/** What deploy/ has for Prometheus and Grafana. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectFolder } from '../project-folder.js';

export const prometheusFolder = join(projectFolder, 'deploy/prometheus');
const grafanaFolder = join(projectFolder, 'deploy/grafana');

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Alert extends Rule {
  readonly alert: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly custom?: object } };
  readonly options?: object;
  readonly targets?: readonly { readonly expr: string }[];
}

/** All rules, in the order of files and groups. */
export const rules: readonly Rule[] = readdirSync(join(prometheusFolder, 'rules'))
  .sort()
  .flatMap((name): { groups: { rules: Rule[] }[] }[] => [
    parse(readFileSync(join(prometheusFolder, 'rules', name), 'utf8')),
  ])
  .flatMap(({ groups }) => groups.flatMap((group) => group.rules));

export const alerts: readonly Alert[] = rules.flatMap((rule) =>
  rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }],
);

export const dashboardText = readFileSync(join(grafanaFolder, 'dashboards/sluice.json'), 'utf8');

const dashboard: {
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  annotations: { list: { expr: string }[] };
} = JSON.parse(dashboardText);

export const panels: readonly Panel[] = dashboard.panels;

/** What Grafana puts in the place of its variables, where everything is chosen. */
const variables: Readonly<Record<string, string>> = {
  __rate_interval: '1m',
  __range: '5m',
  namespace: '.*',
  model: '.*',
  price: '0.10',
};

/** Queries of all panels as Prometheus gets them, by the panel's title. */
export const panelQueries: readonly (readonly [panel: string, expr: string])[] = panels.flatMap(
  ({ title, targets = [] }) =>
    targets.map(({ expr }): readonly [string, string] => [
      title,
      expr.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? `$${name}`),
    ]),
);

/** Every query that is written somewhere: of rules, panels, annotations and variables. */
export const allQueries: readonly string[] = [
  ...rules.map(({ expr }) => expr),
  ...panelQueries.map(([, expr]) => expr),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query])),
];
