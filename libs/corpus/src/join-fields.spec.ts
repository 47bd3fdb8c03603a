import { expect, it } from 'vitest';

import { joinFields } from './join-fields.js';
import type { LeafType } from './parquet/leaf-type.js';
import type { RecordFields } from './row-columns.js';

const float = { kind: 'float' } as const;
const date = { kind: 'date' } as const;

const parquet = (types: Record<string, LeafType>, nested: readonly string[] = []): RecordFields => ({
  kind: 'json',
  names: [...Object.keys(types), ...nested],
  chosen: false,
  types: new Map(Object.entries(types)),
});
const lines = (...names: string[]): RecordFields => ({ kind: 'json', names, chosen: false });

it.each<[string, RecordFields[], [string, LeafType][] | undefined]>([
  [
    'all have it alike',
    [parquet({ a: float, b: date }), parquet({ b: date, a: { kind: 'float' } })],
    [
      ['a', float],
      ['b', date],
    ],
  ],
  ['some do not have it', [parquet({ a: float }), parquet({ b: date })], [['a', float]]],
  [
    'one has it otherwise',
    [parquet({ a: float, b: date }), parquet({ a: { kind: 'double' }, b: date })],
    [['b', date]],
  ],
  ['one has a list of that name', [parquet({ a: float }), parquet({}, ['a'])], []],
  ['one may have anything', [parquet({ a: float }), lines('text')], []],
  ['the first says none', [lines('a'), parquet({ a: float })], undefined],
])('a type of a field is that of the corpus where %s', (_, files, types) => {
  const { types: found } = joinFields(files.map((fields, index) => ({ path: String(index), fields })));
  expect(found && [...found]).toEqual(types);
});
