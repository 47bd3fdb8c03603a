import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { defaultsFile } from './load-settings.js';
import { allSettings } from './setting-paths.js';

const head = `# Configuration

Of the services: producer, worker and trainer. \`sluice label\` and the other commands that run by themselves need none of it.

Defaults are in [config/default.yaml](../config/default.yaml). A YAML file of the same form, named by \`SLUICE_CONFIG\`,
changes some of them; a variable changes one, and goes before the file. For each variable there is another that ends in
\`_FILE\` and names a file whose content is the value, as secrets are mounted. A wrong value stops a service at its start:
every one is named, with what was expected and where it came from.

This page is written by a test from the schema, libs/config/src/settings-schema.ts.
`;

/** docs/configuration.md. */
export function settingsPage(): string {
  const defaults: unknown = parse(readFileSync(defaultsFile(), 'utf8'));
  const sections = new Map<string, string[]>();
  for (const { path, keys, variable, description, schema } of allSettings) {
    const section = keys.slice(0, -1).join('.');
    const lines = sections.get(section) ?? [
      '| setting | variable | default | |',
      '| --- | --- | --- | --- |',
    ];
    lines.push(
      `| \`${path}\` | \`${variable}\` | \`${at(defaults, keys)}\` | ${description} ${rangeOf(schema)} |`,
    );
    sections.set(section, lines);
  }
  return [head, ...Array.from(sections, ([name, lines]) => `## ${name}\n\n${lines.join('\n')}\n`)].join('\n');
}

function at(values: unknown, keys: readonly string[]): string {
  let value = values;
  for (const key of keys)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a setting may be, where its description does not say. */
function rangeOf(schema: z.ZodType): string {
  const { minimum, maximum, exclusiveMinimum, enum: choices } = z.toJSONSchema(schema);
  if (choices !== undefined) return `One of ${choices.map((choice) => `\`${String(choice)}\``).join(', ')}.`;
  if (exclusiveMinimum !== undefined) return `More than ${exclusiveMinimum}.`;
  if (minimum === undefined) return '';
  return maximum === undefined || maximum > 2 ** 50 ? `At least ${minimum}.` : `${minimum} to ${maximum}.`;
}
