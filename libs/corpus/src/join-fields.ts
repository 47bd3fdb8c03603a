import { isDeepStrictEqual } from 'node:util';

import { CorpusOpenError } from './corpus-errors.js';
import type { RecordFields } from './row-columns.js';

/** A file and what its records are. */
export interface FileFields {
  readonly path: string;
  readonly fields: RecordFields;
}

/**
 * The fields of several files as one corpus: of tables the columns, which all must have in the same order; of JSON those
 * of any file, with the types that all give them.
 * @throws CorpusOpenError for the first file that does not fit the first one
 */
export function joinFields(files: readonly FileFields[]): RecordFields {
  const first = files[0]!;
  const names = new Set(first.fields.names);
  for (const file of files) {
    expectKind(first, file);
    if (file.fields.kind === 'cells') expectColumns(first, file);
    for (const name of file.fields.names) names.add(name);
  }
  return { ...first.fields, names: [...names], types: commonTypes(files) };
}

/**
 * The types that all files which have a field give it. Values of any other type may fit in and lose something: a double
 * in a column of floats, a string in one of bytes.
 */
function commonTypes([first, ...others]: readonly FileFields[]): RecordFields['types'] {
  if (first?.fields.types === undefined) return undefined;
  const common = new Map(first.fields.types);
  for (const { fields } of others) {
    const names = new Set(fields.names);
    for (const [name, type] of common) {
      // Rows of JSON lines may have fields that their first ones lack.
      const has = fields.types === undefined || names.has(name);
      if (has && !isDeepStrictEqual(fields.types?.get(name), type)) common.delete(name);
    }
  }
  return common;
}

function expectKind(first: FileFields, { path, fields }: FileFields): void {
  if (fields.kind === first.fields.kind) return;
  throw new CorpusOpenError(
    path,
    `it has ${rowsOf(fields)}, and ${first.path} has ${rowsOf(first.fields)}. Label them in a run each.`,
  );
}

function rowsOf({ kind }: RecordFields): string {
  return kind === 'json' ? 'JSON objects' : 'rows of a table';
}

function expectColumns(first: FileFields, { path, fields }: FileFields): void {
  const column = first.fields.names.findIndex((name, index) => name !== fields.names[index]);
  const differs = column >= 0 ? column : first.fields.names.length;
  const [was, is] = [first.fields.names[differs], fields.names[differs]];
  if (was === is) return;
  throw new CorpusOpenError(
    path,
    `its columns are not those of ${first.path}: column ${differs + 1} to carry is ${quoted(is)} here and ` +
      `${quoted(was)} there. Carry only the columns that all have (fields), or label the files in a run each.`,
  );
}

function quoted(name: string | undefined): string {
  return name === undefined ? 'missing' : JSON.stringify(name);
}
