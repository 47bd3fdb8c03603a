import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeActivations, encodeActivations } from './activation-blob.js';

const activations = fc.oneof(fc.float32Array({ maxLength: 50 }), fc.uint16Array({ maxLength: 50 }));

it('gives activations back as they were, wherever their bytes lie and whatever they were put together from', () => {
  fc.assert(
    fc.property(activations, fc.nat(50), fc.nat({ max: 9 }), (given, cut, offset) => {
      const bytes = encodeActivations([given.subarray(0, cut), given.subarray(cut)]);
      const elsewhere = new Uint8Array(offset + bytes.length);
      elsewhere.set(bytes, offset);
      expect(decodeActivations(elsewhere.subarray(offset))).toEqual(given);
    }),
  );
});

it('finds that any one bit was flipped, and any end cut off', () => {
  fc.assert(
    fc.property(activations, fc.nat(), fc.nat(7), (given, at, bit) => {
      const bytes = encodeActivations([given]);
      expect(decodeActivations(bytes.subarray(0, at % bytes.length))).toBeUndefined();
      bytes[at % bytes.length]! ^= 1 << bit;
      expect(decodeActivations(bytes)).toBeUndefined();
    }),
  );
});
