import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Setting } from './setting-paths.js';
import { allSettings } from './setting-paths.js';
import type { Settings } from './settings-schema.js';
import { settingsSchema } from './settings-schema.js';

export interface SettingsProblem {
  /** Such as `worker.jobs`. */
  readonly path: string;
  /** The file or the variable that it came from. */
  readonly source: string;
  /** What was expected, and what came. */
  readonly message: string;
}

/** Settings that are wrong, all of them. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly SettingsProblem[]) {
    const lines = problems.map(({ path, source, message }) => `  ${path}: ${message} (from ${source})`);
    super(`The settings are wrong:\n${lines.join('\n')}\ndocs/configuration.md lists every setting.`);
  }
}

/** Variables of this project that are no settings. */
const otherVariables = new Set([
  'SLUICE_CONFIG',
  'SLUICE_SERVER',
  'SLUICE_API_KEY',
  'SLUICE_API_KEY_FILE',
  'SLUICE_CACHE',
  'SLUICE_TFJS_NODE',
  'SLUICE_CRASH_AT',
  'SLUICE_SHARED',
  'SLUICE_BENCH_USAGE',
]);
/** What Kubernetes tells every container of the services beside it, such as one named sluice-producer. */
const serviceVariable = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP)(_\w+)?$/;
const serviceValue = /^(tcp|udp):\/\//;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings: config/default.yaml, then the file that SLUICE_CONFIG names, then variables.
 * @throws SettingsError with everything that is wrong
 */
export function loadSettings(environment: Environment = process.env): Settings {
  const values: unknown = parse(readFileSync(defaultsFile(), 'utf8'));
  const sources = new Map<string, string>();
  const problems: SettingsProblem[] = [];
  const file = environment['SLUICE_CONFIG'];
  if (file !== undefined)
    merge(values, readYaml(file), [], (path) => sources.set(path, file), problems, file);
  for (const setting of allSettings) {
    const found = valueOf(setting, environment, problems);
    if (found === undefined) continue;
    put(values, setting.keys, found.value);
    sources.set(setting.path, found.source);
  }
  problems.push(...unknownVariables(environment));
  const parsed = settingsSchema.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.join('.');
    if (problems.some((problem) => problem.path === path)) continue;
    const source = sources.get(path) ?? file ?? 'config/default.yaml';
    problems.push({ path, source, message: `${issue.message}; got ${shown(values, issue.path)}` });
  }
  if (problems.length > 0 || !parsed.success) throw new SettingsError(problems);
  return parsed.data;
}

export function defaultsFile(): string {
  return join(dirname(fileURLToPath(import.meta.resolve('#package.json'))), 'config/default.yaml');
}

function readYaml(path: string): unknown {
  const problem = (message: string): SettingsError =>
    new SettingsError([{ path: 'SLUICE_CONFIG', source: path, message }]);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw problem(error instanceof Error ? error.message : String(error));
  }
  try {
    return parse(text) ?? {};
  } catch (error) {
    throw problem(`not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Puts the values of a file over those that there are. */
function merge(
  into: unknown,
  from: unknown,
  keys: readonly string[],
  onValue: (path: string) => void,
  problems: SettingsProblem[],
  source: string,
): void {
  if (!isRecord(from) || !isRecord(into)) {
    problems.push({ path: keys.join('.') || 'the file', source, message: 'expected names and values' });
    return;
  }
  for (const [key, value] of Object.entries(from)) {
    const path = [...keys, key];
    if (!Object.hasOwn(into, key)) {
      problems.push({
        path: path.join('.'),
        source,
        message: `there is no such setting${suggestion(
          path.join('.'),
          allSettings.map((setting) => setting.path),
        )}`,
      });
    } else if (isRecord(into[key])) {
      merge(into[key], value, path, onValue, problems, source);
    } else {
      into[key] = value;
      onValue(path.join('.'));
    }
  }
}

/** What a variable says of a setting, or the file that one names. */
function valueOf(
  { variable, path, schema }: Setting,
  environment: Environment,
  problems: SettingsProblem[],
): { readonly value: unknown; readonly source: string } | undefined {
  const [plain, file] = [environment[variable], environment[`${variable}_FILE`]];
  if (plain !== undefined && file !== undefined) {
    problems.push({ path, source: variable, message: `expected ${variable} or ${variable}_FILE, not both` });
    return undefined;
  }
  if (file !== undefined) {
    try {
      return {
        value: asValue(readFileSync(file, 'utf8').trim(), schema),
        source: `${variable}_FILE, ${file}`,
      };
    } catch (error) {
      problems.push({
        path,
        source: `${variable}_FILE`,
        message: error instanceof Error ? error.message : String(error),
      });
      return undefined;
    }
  }
  if (plain === undefined || (serviceValue.test(plain) && !path.endsWith('url'))) return undefined;
  return { value: asValue(plain, schema), source: variable };
}

/** Text as it stands where the setting is text, else the number or truth value that it spells. */
function asValue(text: string, schema: z.ZodType): unknown {
  const isNullable = schema instanceof z.ZodNullable;
  if (isNullable && text === '') return null;
  const inner = isNullable ? schema.unwrap() : schema;
  return inner instanceof z.ZodString || inner instanceof z.ZodEnum ? text : parse(text);
}

function unknownVariables(environment: Environment): SettingsProblem[] {
  const known = allSettings.flatMap(({ variable }) => [variable, `${variable}_FILE`]);
  return Object.entries(environment).flatMap(([name, value]): SettingsProblem[] => {
    if (!name.startsWith('SLUICE_') || known.includes(name) || otherVariables.has(name)) return [];
    if (serviceVariable.test(name) || serviceValue.test(value ?? '')) return [];
    const message = `there is no such variable${suggestion(name, known)}`;
    return [{ path: name, source: 'the environment', message }];
  });
}

const lastWord = (name: string): string => name.split(/[._]/).at(-1)!.toLowerCase();

function suggestion(name: string, known: readonly string[]): string {
  const near = known.filter((other) => lastWord(other) === lastWord(name)).slice(0, 3);
  return near.length === 0 ? '' : `; there is ${near.join(', ')}`;
}

function put(values: unknown, keys: readonly string[], value: unknown): void {
  let at = values;
  for (const key of keys.slice(0, -1)) at = isRecord(at) ? at[key] : undefined;
  const last = keys.at(-1);
  if (isRecord(at) && last !== undefined) at[last] = value;
}

function shown(values: unknown, path: readonly PropertyKey[]): string {
  let at = values;
  for (const key of path) at = isRecord(at) ? at[String(key)] : undefined;
  // What may be a secret is not told.
  return /password|url/i.test(String(path.at(-1))) ? 'another value' : JSON.stringify(at);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
