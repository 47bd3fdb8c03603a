import type { Reject } from '#pipeline/ports.js';

import type { RawChunk } from './raw-chunk.js';
import { recordTexts } from './raw-chunk.js';
import type { ReadFields, RowColumns, RowParser } from './row-columns.js';

/** JSON lines: a record is its own text. */
export function jsonRowParser(fields: ReadFields): RowParser {
  return (raw) => parseJsonRows(raw, fields);
}

function parseJsonRows(raw: RawChunk, fields: ReadFields): RowColumns {
  const rejects: Reject[] = [...raw.rejects];
  const texts: string[] = [];
  const pairs: string[] | undefined = fields.pair === undefined ? undefined : [];
  const golds: (string | undefined)[] | undefined = fields.label === undefined ? undefined : [];
  const records: string[] = [];
  const lines = recordTexts(raw, rejects);
  for (let index = 0; index < lines.length; index++) {
    const json = lines[index];
    if (json === undefined) continue;
    try {
      const row = parseObject(json);
      const text = textOf(row, fields.text, 'text');
      const pair = fields.pair === undefined ? undefined : textOf(row, fields.pair, 'pair');
      texts.push(wellFormed(text, json));
      if (pair !== undefined) pairs?.push(wellFormed(pair, json));
      if (fields.label !== undefined) golds?.push(goldOf(row, fields.label));
      records.push(json);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      rejects.push({ row: raw.numbers[index] ?? 0, reason: error.reason, message: error.message });
    }
  }
  return { texts, pairs, golds, records, rejects };
}

class RowError extends Error {
  override readonly name = 'RowError';
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(json: string): JsonObject {
  const value = parse(json);
  if (!isObject(value)) throw new RowError('not-an-object', `expected a JSON object, got ${kindOf(value)}`);
  return value;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new RowError('unparseable', `expected a JSON object: ${shortened(String(error))}`);
  }
}

/** The fields of a JSON object; none where the text is no JSON object. */
export function objectFields(json: string): string[] {
  try {
    return Object.keys(parseObject(json));
  } catch {
    return [];
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(row: JsonObject, field: string, role: 'text' | 'pair'): string {
  // Own fields only: a row without the field `constructor` has none, whatever its prototype has.
  if (!Object.hasOwn(row, field)) {
    const found = shortened(Object.keys(row).join(', '));
    throw new RowError(
      `no-${role}-field`,
      `expected the field ${JSON.stringify(field)}, got ${found || 'no fields'}`,
    );
  }
  const value = row[field];
  if (typeof value === 'string') return value;
  throw new RowError(
    `${role}-not-string`,
    `expected a string in the field ${JSON.stringify(field)}, got ${kindOf(value)}`,
  );
}

function goldOf(row: JsonObject, field: string): string | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  if (typeof value === 'string') return value;
  // Of models that give any number of labels.
  if (Array.isArray(value)) return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Replaces lone surrogates by U+FFFD. Valid UTF-8 can bring them only as escapes. */
function wellFormed(text: string, json: string): string {
  return json.includes('\\u') ? text.replace(/\p{Surrogate}/gu, '\uFFFD') : text;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${shortened(JSON.stringify(value))}`;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
