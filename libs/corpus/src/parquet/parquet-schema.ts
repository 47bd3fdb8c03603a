import type { LeafType, PhysicalType } from './leaf-type.js';
import { ParquetFormatError } from './parquet-errors.js';
import type { SchemaElement } from './schema-element.js';

/** A column of values. */
export interface Leaf {
  /** Its place among the file's columns of values. */
  readonly index: number;
  /** Names from the top on, joined by dots. */
  readonly path: string;
  readonly physical: PhysicalType;
  readonly typeLength: number;
  readonly type: LeafType;
  /** How many of the fields on its path must be there for it to be there. */
  readonly maxDefinition: number;
  /** How many of the fields on its path repeat. */
  readonly maxRepetition: number;
}

/** A field: a column of values, or a group of fields. */
export interface SchemaNode {
  readonly name: string;
  readonly repetition: SchemaElement['repetition'];
  readonly group: SchemaElement['group'];
  /** Definition level from which on it is there; of a repeated field, from which on it has an element. */
  readonly definition: number;
  /** Repetition level that starts one more element of it, if it is repeated. */
  readonly level: number;
  readonly children: readonly SchemaNode[];
  /** Undefined for a group. */
  readonly leaf: Leaf | undefined;
  /** Its columns of values; its own, if it is one. */
  readonly leaves: readonly Leaf[];
}

const MOST_DEPTH = 64;

/**
 * The top fields of a schema.
 * @throws ParquetFormatError when its groups do not have the children they claim, or are nested too deep
 */
export function schemaTree(elements: readonly SchemaElement[]): readonly SchemaNode[] {
  const root = elements[0];
  if (root === undefined) throw new ParquetFormatError('its schema is empty');
  const tree = new TreeBuilder(elements);
  const fields = tree.children(root, { definition: 0, level: 0, path: [] });
  tree.expectEnd();
  return fields;
}

interface Above {
  readonly definition: number;
  readonly level: number;
  readonly path: readonly string[];
}

class TreeBuilder {
  readonly #elements: readonly SchemaElement[];
  #next = 1;
  #leaves = 0;

  constructor(elements: readonly SchemaElement[]) {
    this.#elements = elements;
  }

  children(group: SchemaElement, above: Above): SchemaNode[] {
    if (above.path.length > MOST_DEPTH)
      throw new ParquetFormatError(`its schema is more than ${MOST_DEPTH} deep`);
    if (!(group.children >= 1 && group.children <= this.#elements.length - this.#next)) {
      throw new ParquetFormatError(`its schema has a group of ${group.children} fields`);
    }
    return Array.from({ length: group.children }, () => this.#node(above));
  }

  expectEnd(): void {
    if (this.#next !== this.#elements.length)
      throw new ParquetFormatError('its schema has fields outside of its root');
  }

  #node(above: Above): SchemaNode {
    const element = this.#elements[this.#next++];
    if (element === undefined) throw new ParquetFormatError('its schema ends too early');
    const { name, repetition, group, leaf: values } = element;
    const definition = above.definition + (repetition === 'required' ? 0 : 1);
    const level = above.level + (repetition === 'repeated' ? 1 : 0);
    const path = [...above.path, name];
    if (values === undefined) {
      const children = this.children(element, { definition, level, path });
      const leaves = children.flatMap((child) => [...child.leaves]);
      return { name, repetition, group, definition, level, children, leaf: undefined, leaves };
    }
    const index = this.#leaves++;
    const leaf = { index, path: path.join('.'), ...values, maxDefinition: definition, maxRepetition: level };
    return { name, repetition, group, definition, level, children: [], leaf, leaves: [leaf] };
  }
}
