import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '#pipeline/regular-file.js';
import { schemaProblem } from '#pipeline/schema-problem.js';
import type { Pilot } from '#planner/pilot.js';
import type { MeasuredPilot } from './measured-pilot.js';

/** What `--save-pilot` writes. */
export const PILOT_FORMAT = 'sluice-pilot-1';

/** A file that is named as a pilot and is none. */
export class PilotFileError extends Error {
  override readonly name = 'PilotFileError';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path} ${problem}`);
  }
}

const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
const exits = z.array(z.object({ layer: count, rows: count })).min(1);

const reportSchema = z.object({
  bundle: z.string(),
  accepted: z.int().positive(),
  tokens: z.int().positive(),
  exits,
});

const recordSchema = z.object({ policy: z.record(z.string(), z.number().min(0).max(1)) });

const pilotSchema = z.object({
  format: z.literal(PILOT_FORMAT),
  source: z.string(),
  bundle: z.string(),
  policy: z.record(z.string(), z.number().min(0).max(1)),
  pilot: z.object({
    rows: z.int().positive(),
    tokensPerRow: z.number().positive(),
    textBytesPerRow: z.number().nonnegative(),
    exits,
    lengths: z.array(z.array(z.object({ length: z.int().positive(), rows: count }))).optional(),
  }),
  times: z.object({
    tokenizeSecondsPerToken: seconds,
    stages: z.array(z.object({ batchSeconds: seconds, tokenSeconds: seconds })).min(1),
    handlingSeconds: seconds,
  }),
  machine: z.object({
    host: z.string(),
    processor: z.string(),
    cores: z.int().positive(),
    load: z.number().nonnegative(),
    fingerprint: z.string(),
    device: z.enum(['cpu', 'cuda']),
    measuredAt: z.string(),
  }),
});

/** What `--pilot` names. */
export type NamedPilot =
  | { readonly kind: 'corpus' }
  | { readonly kind: 'measured'; readonly measured: MeasuredPilot }
  | {
      readonly kind: 'counts';
      readonly source: string;
      readonly bundle: string;
      /** Of the run, where its directory was given. */
      readonly policy: Readonly<Record<string, number>> | undefined;
      readonly pilot: Pilot;
    };

/** English has about so many bytes for a token of BERT's vocabulary. */
const TEXT_BYTES_PER_TOKEN = 4.5;

/** A run directory, its report, or a saved pilot; else a corpus. @throws PilotFileError */
export async function readPilot(path: string): Promise<NamedPilot> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) return pilotOfRun(path);
  if (there === undefined || !path.endsWith('.json')) return { kind: 'corpus' };
  const json = await readJsonFile(path);
  const format = z.object({ format: z.string() }).safeParse(json);
  if (format.success && format.data.format.startsWith('sluice-pilot')) {
    return { kind: 'measured', measured: parsed(path, json, pilotSchema, 'is no pilot of this version') };
  }
  return countsOf(path, json, undefined);
}

async function pilotOfRun(folder: string): Promise<NamedPilot> {
  const report = join(folder, 'report.json');
  const json = await readJsonFile(report);
  const record = recordSchema.safeParse(await readJsonFile(join(folder, 'run.json')).catch(() => undefined));
  return countsOf(report, json, record.data?.policy);
}

function countsOf(
  path: string,
  json: unknown,
  policy: Readonly<Record<string, number>> | undefined,
): NamedPilot {
  const report = parsed(path, json, reportSchema, 'is no report of a run that labelled rows');
  const tokensPerRow = report.tokens / report.accepted;
  return {
    kind: 'counts',
    source: `the ${report.accepted} rows of ${path}`,
    bundle: report.bundle,
    policy,
    pilot: {
      rows: report.accepted,
      tokensPerRow,
      textBytesPerRow: tokensPerRow * TEXT_BYTES_PER_TOKEN,
      exits: report.exits,
    },
  };
}

async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readRegularFile(path));
  } catch (error) {
    throw new PilotFileError(
      path,
      `cannot be read as JSON (${error instanceof Error ? error.message : String(error)}). Give a corpus, a finished run's directory, its report.json, or what --save-pilot wrote.`,
    );
  }
}

function parsed<T>(path: string, json: unknown, schema: z.ZodType<T>, what: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new PilotFileError(
    path,
    `${what}: ${schemaProblem(result.error)}. Give a corpus, a finished run's directory, its report.json, or what --save-pilot wrote.`,
  );
}
