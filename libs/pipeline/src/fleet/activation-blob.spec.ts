import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeActivations, encodeActivations } from './activation-blob.js';

const activations = fc.oneof(fc.float32Array({ maxLength: 50 }), fc.uint16Array({ maxLength: 50 }));

it('gives activations back as they were, wherever their bytes lie', () => {
  fc.assert(
    fc.property(activations, fc.nat({ max: 9 }), (given, offset) => {
      const elsewhere = Buffer.concat([Buffer.alloc(offset), encodeActivations(given)]).subarray(offset);
      expect(decodeActivations(elsewhere)).toEqual(given);
    }),
  );
});

it('finds that any one bit was flipped, and any end cut off', () => {
  fc.assert(
    fc.property(activations, fc.nat(), fc.nat(7), (given, at, bit) => {
      const bytes = encodeActivations(given);
      expect(decodeActivations(bytes.subarray(0, at % bytes.length))).toBeUndefined();
      bytes[at % bytes.length]! ^= 1 << bit;
      expect(decodeActivations(bytes)).toBeUndefined();
    }),
  );
});
