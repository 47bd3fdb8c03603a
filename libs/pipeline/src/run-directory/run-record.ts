import type { ExitPolicy } from '../exit-policy.js';
import { hasShape } from './stored-shape.js';

/** The format of everything in a run directory; raised when an older program could misread it. */
export const runFormat = 1;

/** An option as JSON holds it. */
export type OptionValue = string | number | boolean | null | readonly OptionValue[] | OptionValues;
export interface OptionValues {
  readonly [name: string]: OptionValue;
}

/** A file of the corpus. `bytes` is null while unknown (standard input). */
export interface RunFile {
  readonly path: string;
  readonly bytes: number | null;
}

/** What a run is asked to do. */
export interface RunSettings {
  readonly files: readonly RunFile[];
  /** Hash of the bundle. */
  readonly bundle: string;
  /** Of the output, such as `jsonl` or `csv.gz`. */
  readonly format: string;
  readonly policy: ExitPolicy;
  /** The other options that determine the output's bytes, and no others. */
  readonly options: OptionValues;
  /** Where it runs: runtime version, provider, instruction set. */
  readonly fingerprint: string;
  /** Rows of a chunk. A run keeps those that it was planned with. */
  readonly chunkRows: number;
}

/** `run.json`. */
export interface RunRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly files: readonly RunFile[];
  readonly bundle: string;
  readonly format: string;
  /** Threshold by layer. */
  readonly policy: Readonly<Record<string, number>>;
  readonly options: OptionValues;
  /** The first is where the run began; the others were accepted later. */
  readonly fingerprints: readonly string[];
  readonly chunkRows: number;
}

/** The fields of every format; those of the current one are there if `formatVersion` says so. */
export function isRunRecord(value: unknown): value is RunRecord {
  return hasShape(value, { formatVersion: 'number', id: 'string' });
}

export interface Difference {
  readonly field: string;
  readonly was: string;
  readonly now: string;
}

/** A corpus may have thousands of files. */
const SHOWN_DIFFERENCES = 10;

/** The run directory holds a run that would give other output. */
export class RunMismatchError extends Error {
  override readonly name = 'RunMismatchError';

  constructor(
    readonly folder: string,
    readonly differences: readonly Difference[],
  ) {
    const lines = differences
      .slice(0, SHOWN_DIFFERENCES)
      .map(({ field, was, now }) => `  ${field}: was ${was} / is now ${now}`);
    if (differences.length > lines.length) lines.push(`  and ${differences.length - lines.length} more`);
    super(
      `The run directory ${folder} holds another run:\n${lines.join('\n')}\n` +
        'Resume it with the input and options it began with, or start afresh in another run directory.',
    );
  }
}

export function newRecord(id: string, settings: RunSettings): RunRecord {
  return {
    formatVersion: runFormat,
    id,
    files: settings.files,
    bundle: settings.bundle,
    format: settings.format,
    policy: Object.fromEntries(settings.policy),
    options: settings.options,
    fingerprints: [settings.fingerprint],
    chunkRows: settings.chunkRows,
  };
}

/** What makes the output of `settings` differ from that of the run; empty if nothing does. */
export function differences(
  record: RunRecord,
  settings: RunSettings,
  acceptFingerprint: boolean,
): Difference[] {
  const now = newRecord(record.id, settings);
  const found = compare(outputFields(record), outputFields(now));
  if (!acceptFingerprint && !record.fingerprints.includes(settings.fingerprint)) {
    found.push({
      field: 'fingerprint',
      was: JSON.stringify(record.fingerprints.join(' and ')),
      now: JSON.stringify(settings.fingerprint),
    });
  }
  return found;
}

function outputFields({
  formatVersion,
  files,
  bundle,
  format,
  policy,
  options,
}: RunRecord): Map<string, string> {
  return new Map(
    leaves({ formatVersion, files: files.map((file) => ({ ...file })), bundle, format, policy, options }),
  );
}

function compare(was: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Difference[] {
  const fields = new Set([...was.keys(), ...now.keys()]);
  return [...fields]
    .filter((field) => was.get(field) !== now.get(field))
    .map((field) => ({ field, was: was.get(field) ?? 'not set', now: now.get(field) ?? 'not set' }));
}

/** `{a: {b: [1], c: []}}` gives `a.b.0` → `1` and `a.c` → `[]`. */
function* leaves(value: OptionValue, path = ''): Generator<[string, string]> {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (inside.length === 0) yield [path, JSON.stringify(value)];
  for (const [name, inner] of inside) {
    yield* leaves(inner, path === '' ? name : `${path}.${name}`);
  }
}
