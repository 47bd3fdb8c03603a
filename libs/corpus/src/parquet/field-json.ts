import type { ColumnReader } from './column-reader.js';
import { ParquetColumnError } from './parquet-errors.js';
import type { SchemaNode } from './parquet-schema.js';

/** What a row is put together from. */
export interface RowAssembly {
  /** By the index of its leaf. */
  readonly column: (leaf: number) => ColumnReader;
  /** Hears of a string that is not UTF-8. */
  readonly onNotUtf8: () => void;
  /** A list is built no further once its text has so many characters. */
  readonly mostChars: number;
}

/**
 * Takes a field's entries of one row, or of one element of a list.
 * @param repetition level that its first entries must have
 * @returns the field as JSON
 */
export type ReadJson = (repetition: number) => string;

/**
 * Puts a field together from the entries of its columns: structs as objects, lists as arrays, maps as objects (keys
 * that are no strings as their JSON). Works along the schema, with one entry of look-ahead.
 *
 * https://parquet.apache.org/docs/file-format/nestedencoding/
 */
export function fieldJson(node: SchemaNode, row: RowAssembly): ReadJson {
  const present = presentJson(node, row);
  if (node.repetition === 'required') return present;
  if (node.repetition === 'repeated') return repeatedJson(node, present, '[]', row);
  const first = firstColumn(node, row);
  const pass = absent(node, row);
  return (repetition) => {
    if (first.definition >= node.definition) return present(repetition);
    pass(repetition);
    return 'null';
  };
}

/** Of a field, or an element, that is there. */
function presentJson(node: SchemaNode, row: RowAssembly): ReadJson {
  if (node.leaf !== undefined) return leafJson(node, row);
  const [only] = node.children;
  if (only?.repetition === 'repeated' && node.children.length === 1) {
    if (node.group === 'list') return repeatedJson(only, elementJson(only, row), '[]', row);
    if (node.group === 'map' && only.children.length === 2) {
      return repeatedJson(only, entryJson(only, row), '{}', row);
    }
  }
  return structJson(node, row);
}

function leafJson(node: SchemaNode, row: RowAssembly): ReadJson {
  const column = firstColumn(node, row);
  const isString = node.leaf?.type.kind === 'string';
  return (repetition) => {
    const isThere = column.definition === column.leaf.maxDefinition;
    const value = column.take(repetition);
    if (!isThere) throw new ParquetColumnError(column.leaf.path, 'it lacks a value that must be there');
    if (value === undefined) row.onNotUtf8();
    return isString ? JSON.stringify(value ?? '') : (value ?? 'null');
  };
}

function structJson(node: SchemaNode, row: RowAssembly): ReadJson {
  const fields = node.children.map((child, index) => ({
    before: `${index === 0 ? '' : ','}${JSON.stringify(child.name)}:`,
    read: fieldJson(child, row),
  }));
  return (repetition) => {
    let text = '{';
    for (const { before, read } of fields) text += before + read(repetition);
    return `${text}}`;
  };
}

/**
 * The element of a list: the only field of what repeats, or that itself, as old writers had it.
 *
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules
 */
function elementJson(repeated: SchemaNode, row: RowAssembly): ReadJson {
  const [only] = repeated.children;
  const isElement = repeated.name === 'array' || repeated.name.endsWith('_tuple');
  return only !== undefined && repeated.children.length === 1 && !isElement
    ? fieldJson(only, row)
    : presentJson(repeated, row);
}

function entryJson(repeated: SchemaNode, row: RowAssembly): ReadJson {
  const key = fieldJson(repeated.children[0]!, row);
  const value = fieldJson(repeated.children[1]!, row);
  return (repetition) => {
    const name = key(repetition);
    return `${name.startsWith('"') ? name : JSON.stringify(name)}:${value(repetition)}`;
  };
}

function repeatedJson(
  node: SchemaNode,
  element: ReadJson,
  brackets: '[]' | '{}',
  row: RowAssembly,
): ReadJson {
  const first = firstColumn(node, row);
  const pass = absent(node, row);
  return (repetition) => {
    if (first.definition < node.definition) {
      pass(repetition);
      return brackets;
    }
    let text = brackets.charAt(0) + element(repetition);
    while (first.repetition === node.level) {
      const next = element(node.level);
      if (text.length <= row.mostChars) text += `,${next}`;
    }
    return text + brackets.charAt(1);
  };
}

/** Takes the entry that each column of a field has in place of its values. */
function absent(node: SchemaNode, row: RowAssembly): (repetition: number) => void {
  const columns = node.leaves.map(({ index }) => row.column(index));
  return (repetition) => {
    for (const column of columns) {
      if (column.definition >= node.definition) {
        throw new ParquetColumnError(
          column.leaf.path,
          'it has a value where the columns beside it have none',
        );
      }
      column.take(repetition);
    }
  };
}

function firstColumn(node: SchemaNode, row: RowAssembly): ColumnReader {
  return row.column(node.leaves[0]!.index);
}
