import { CorpusOpenError } from '../corpus-errors.js';
import type { FileOptions } from '../corpus-options.js';
import type { RecordFields } from '../row-columns.js';
import { checkNames, isKept, readFields } from '../wanted-fields.js';
import type { LeafType } from './leaf-type.js';
import type { Leaf, SchemaNode } from './parquet-schema.js';

/** What is read of every row. */
export interface ReadPlan {
  /** The fields that records have. */
  readonly carried: readonly SchemaNode[];
  readonly text: SchemaNode;
  readonly pair: SchemaNode | undefined;
  readonly label: SchemaNode | undefined;
  /** The columns of all these fields. */
  readonly leaves: readonly Leaf[];
  /** Rows whose record is longer are rejected. */
  readonly maxRowBytes: number;
}

/**
 * Chooses the fields that the options ask for.
 * @throws CorpusOpenError when there is no such field, or its values cannot be texts or labels
 */
export function readPlan(options: FileOptions, fields: readonly SchemaNode[]): ReadPlan {
  const names = fields.map(({ name }) => name);
  expectUnique(options.path, names);
  const wanted = readFields(options);
  checkNames(options, wanted, names, 'among the columns');
  // What is read as text is text, whatever its column says of its bytes.
  const roles = new Set([wanted.text, wanted.pair, wanted.label]);
  const read = fields.map((field) => (roles.has(field.name) ? asString(field) : field));
  const byName = new Map(read.map((field) => [field.name, field]));
  const role = (name: string | undefined): SchemaNode | undefined =>
    name === undefined ? undefined : byName.get(name);
  const text = role(wanted.text)!;
  const pair = role(wanted.pair);
  const label = role(wanted.label);
  expectStrings(options.path, text, 'text field');
  if (pair !== undefined) expectStrings(options.path, pair, 'pair field');
  if (label !== undefined && !isFlat(label))
    throw wrongColumn(options.path, label, 'single values', 'label field');
  const keep = isKept(options);
  const carried = read.filter(({ name }) => keep(name));
  const needed = new Set([...carried, text, pair, label]);
  const leaves = read.filter((field) => needed.has(field)).flatMap((field) => [...field.leaves]);
  return { carried, text, pair, label, leaves, maxRowBytes: options.maxRowBytes ?? 1 << 20 };
}

/** For the writer: the carried fields, and the types of those that are single values. */
export function recordFields(options: FileOptions, { carried }: ReadPlan): RecordFields {
  const types = new Map<string, LeafType>();
  for (const field of carried) {
    if (field.leaf !== undefined && isFlat(field)) types.set(field.name, field.leaf.type);
  }
  return {
    kind: 'json',
    names: carried.map(({ name }) => name),
    chosen: options.fields !== undefined,
    types,
  };
}

function asString(field: SchemaNode): SchemaNode {
  const { leaf } = field;
  if (leaf?.physical !== 'BYTE_ARRAY' || leaf.type.kind !== 'bytes') return field;
  const string: Leaf = { ...leaf, type: { kind: 'string' } };
  return { ...field, leaf: string, leaves: [string] };
}

function expectStrings(path: string, field: SchemaNode, role: string): void {
  if (!isFlat(field) || field.leaf?.type.kind !== 'string') throw wrongColumn(path, field, 'strings', role);
}

function wrongColumn(path: string, field: SchemaNode, expected: string, role: string): CorpusOpenError {
  const found = !isFlat(field) ? 'lists or groups' : `${field.leaf?.type.kind} values`;
  return new CorpusOpenError(
    path,
    `the column ${JSON.stringify(field.name)} holds ${found}, expected ${expected}. Say which is the ${role}.`,
  );
}

function isFlat({ leaf, repetition }: SchemaNode): boolean {
  return leaf !== undefined && repetition !== 'repeated';
}

function expectUnique(path: string, names: readonly string[]): void {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice === undefined) return;
  throw new CorpusOpenError(path, `it has two columns of the name ${JSON.stringify(twice)}. Rename one.`);
}
