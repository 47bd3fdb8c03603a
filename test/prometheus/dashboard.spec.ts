/** The dashboard against the types that Grafana publishes; Grafana itself is not run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { dashboardText, panels } from './deploy-files.js';

const require = createRequire(import.meta.url);
const schema = join(dirname(require.resolve('@grafana/schema/package.json')), 'dist/types');

/** Types of @grafana/schema, with the words that JSON has in the place of enums. */
const declarations = `
  import type { AnnotationQuery, Dashboard } from '${schema}/raw/dashboard/x/types.gen.js';
  import type * as barchart from '${schema}/raw/composable/barchart/panelcfg/x/types.gen.js';
  import type * as stat from '${schema}/raw/composable/stat/panelcfg/x/types.gen.js';
  import type * as timeseries from '${schema}/raw/composable/timeseries/panelcfg/x/types.gen.js';
  type Json<T> = T extends string ? \`\${T}\` : T extends object ? { [Key in keyof T]: Json<T[Key]> } : T;
  /** What a Prometheus adds to an annotation. */
  interface Annotation extends AnnotationQuery { expr: string; titleFormat: string; tagKeys: string }
  type Of<Options, Custom> = { options: Options; custom: Custom | undefined };
  interface Panels {
    barchart: Of<barchart.Options, barchart.FieldConfig>;
    stat: Of<stat.Options, undefined>;
    timeseries: Of<timeseries.Options, timeseries.FieldConfig>;
  }
  interface Checked extends Omit<Dashboard, 'annotations'> { annotations: { list: Annotation[] } }
`;

it('has the form of a dashboard, and each panel that of its kind', async () => {
  const drawn = panels.filter(({ type }) => type !== 'row');
  const source = [
    declarations,
    `export const dashboard: Json<Checked> = ${dashboardText};`,
    ...drawn.map(
      ({ type, id, options, fieldConfig }) =>
        `export const panel${id}: Json<Panels['${type}']> = { options: ${JSON.stringify(options)}, custom: ${JSON.stringify(fieldConfig?.defaults.custom)} };`,
    ),
  ].join('\n');
  expect(await typeErrors(source)).toEqual([]);
});

async function typeErrors(source: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-dashboard-'));
  const file = join(folder, 'dashboard.ts');
  await writeFile(file, source);
  const program = ts.createProgram([file], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.Node20,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  });
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  await rm(folder, { recursive: true });
  return errors;
}

it('shows first where texts leave, then what they cost', () => {
  const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(rows).toEqual([
    'Where texts leave',
    'Cost per 1,000 texts',
    'Throughput and backlog by stage',
    'Latency',
    'Redis',
    'Workers',
    'Training',
  ]);
  expect(panels[1]).toMatchObject({ type: 'barchart', title: 'Texts by the exit where they left' });
});

it('has panels that say what they show, in places of their own', () => {
  const taken = new Map<string, string>();
  for (const { title, type, description, gridPos } of panels) {
    if (type !== 'row') expect([title, description]).toEqual([title, expect.stringMatching(/\.$/)]);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      expect(x).toBeLessThan(24);
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect([title, taken.get(`${x},${y}`)]).toEqual([title, undefined]);
        taken.set(`${x},${y}`, title);
      }
    }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});
