import { TooManyColumnsError } from '../corpus-errors.js';
import type { WrittenType } from './written-type.js';
import { valueOfJson } from './written-type.js';

/** Kinds of JSON values, as bits. */
const BOOLEAN = 1;
/** Whole numbers that a double holds exactly, and that 64 bits hold. */
const SAFE = 2;
const INT64 = 4;
/** Numbers that a double holds. */
const DOUBLE = 8;
/** Numbers beyond both. */
const NUMBER = 16;
const STRING = 32;
const OTHER = 64;

/** What is known of the values of a column. */
interface Found {
  /** The input's type, as long as all values fit in. */
  declared: { readonly type: WrittenType; readonly fits: (json: string) => boolean } | undefined;
  kinds: number;
}

/**
 * Finds the type of each column by its values, so that every value can be written as it is: booleans; whole numbers of
 * 64 bits; doubles; strings. Numbers that no such type holds become strings of their digits; values of several kinds,
 * lists and objects their JSON.
 */
export class ColumnTypes {
  readonly #found = new Map<string, Found>();
  readonly #mostColumns: number;

  /** @param mostColumns that there may be */
  constructor(mostColumns: number) {
    this.#mostColumns = mostColumns;
  }

  /** A column that is there in any case. @param type of its values, if the input says it */
  declare(name: string, type: WrittenType | undefined): void {
    this.#add(name, type);
  }

  /** @throws TooManyColumnsError */
  add(name: string, json: string): void {
    const found = this.#found.get(name) ?? this.#add(name, undefined);
    if (json === 'null') return;
    if (found.declared?.fits(json) === false) found.declared = undefined;
    found.kinds |= kindOf(json);
  }

  /** By name, in the order in which the columns came. */
  types(): Map<string, WrittenType> {
    return new Map(
      Array.from(this.#found, ([name, { declared, kinds }]) => [name, declared?.type ?? typeOf(kinds)]),
    );
  }

  #add(name: string, type: WrittenType | undefined): Found {
    if (this.#found.size >= this.#mostColumns) {
      throw new TooManyColumnsError('parquet', this.#found.size + 1, this.#mostColumns);
    }
    const value = type && valueOfJson(type);
    const found: Found = {
      declared: type && value && { type, fits: (json) => value(json) !== undefined },
      kinds: 0,
    };
    this.#found.set(name, found);
    return found;
  }
}

function kindOf(json: string): number {
  switch (json.charAt(0)) {
    case '"':
      return STRING;
    case 't':
    case 'f':
      return BOOLEAN;
    case '{':
    case '[':
      return OTHER;
    default:
      return numberKind(json);
  }
}

function numberKind(json: string): number {
  const value = Number(json);
  if (/^-?\d+$/.test(json) && json !== '-0') {
    if (Number.isSafeInteger(value)) return SAFE;
    return BigInt.asIntN(64, BigInt(json)) === BigInt(json) ? INT64 : NUMBER;
  }
  return Number.isFinite(value) ? DOUBLE : NUMBER;
}

function typeOf(kinds: number): WrittenType {
  const only = (allowed: number): boolean => (kinds & ~allowed) === 0;
  // A column of nulls, too.
  if (only(STRING)) return { kind: 'string' };
  if (only(BOOLEAN)) return { kind: 'boolean' };
  if (only(SAFE | INT64)) return { kind: 'integer', bits: 64, signed: true };
  if (only(SAFE | DOUBLE)) return { kind: 'double' };
  if (only(SAFE | INT64 | DOUBLE | NUMBER)) return { kind: 'digits' };
  return { kind: 'json' };
}
