import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { JsonFields } from './json-fields.js';

/** JSON text of an object, with white space wherever it may be. */
const objects = fc
  .record({
    value: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
    indent: fc.constantFrom(0, 1, '\t'),
    around: fc.constantFrom('', ' ', '\t\r'),
  })
  .map(({ value, indent, around }) => ({
    value,
    json: around + JSON.stringify(value, null, indent) + around,
  }));

test('finds each field of any object, as it is written', () => {
  fc.assert(
    fc.property(objects, ({ value, json }) => {
      const fields = new JsonFields();
      fields.scan(json);
      expect(fields.names).toEqual(Object.keys(value));
      for (const [field, name] of fields.names.entries()) {
        const compact = JSON.stringify(value[name]);
        expect(JSON.stringify(JSON.parse(fields.value(field)))).toBe(compact);
        expect(JSON.stringify(JSON.parse(`{${fields.text(field)}}`))).toBe(
          `{${JSON.stringify(name)}:${compact}}`,
        );
      }
    }),
    { numRuns: 500 },
  );
});

test('keeps numbers, escapes, doubled and escaped names', () => {
  const fields = new JsonFields();
  fields.scan(' { "id" : 12345678901234567890 , "\\u0061\\"":"\\ud800\\\\", "id":1e400,"x":{"}":["]"]} } ');
  expect(fields.names).toEqual(['id', 'a"', 'id', 'x']);
  expect(fields.names.map((_, field) => fields.value(field))).toEqual([
    '12345678901234567890',
    '"\\ud800\\\\"',
    '1e400',
    '{"}":["]"]}',
  ]);
  expect(fields.text(0)).toBe('"id" : 12345678901234567890');
});

test('an object without fields has none', () => {
  const fields = new JsonFields();
  fields.scan('{"a":1}');
  fields.scan(' { } ');
  expect(fields.names).toEqual([]);
});
