import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { labelPlaces, shortName } from './label-places.js';

const frame = { left: 70, top: 100, right: 770, bottom: 340 };

it('stands above a lone point, and aside of another label', () => {
  expect(labelPlaces([{ x: 300, y: 200, text: '0.1' }], frame)).toEqual([{ x: 300, y: 189, led: false }]);
  const [, second] = labelPlaces(
    [
      { x: 300, y: 200, text: '0.1' },
      { x: 310, y: 200, text: '0.2' },
    ],
    frame,
  );
  expect(second).toEqual({ x: 310, y: 219, led: false });
});

it('covers no other label and stays in the frame, for as many points as an evaluation has', () => {
  const point = fc.record({
    x: fc.integer({ min: frame.left, max: frame.right }),
    y: fc.integer({ min: frame.top, max: frame.bottom }),
    text: fc.constantFrom('0', '0.05', 'balanced', 'accurate'),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 6 }), (points) => {
      const places = labelPlaces(points, frame);
      for (const [index, { x, y }] of places.entries()) {
        const half = (points[index]!.text.length * 7) / 2;
        expect(x - half).toBeGreaterThanOrEqual(frame.left);
        expect(x + half).toBeLessThanOrEqual(frame.right);
        for (const [other, place] of places.slice(0, index).entries()) {
          const apart = half + (points[other]!.text.length * 7) / 2;
          expect(Math.abs(place.x - x) >= apart || Math.abs(place.y - y) >= 15).toBe(true);
        }
      }
    }),
  );
});

it('shortens the names of policy files', () => {
  expect(shortName('balanced')).toBe('balanced');
  expect(shortName('policies/night.json')).toBe('night.json');
  expect(shortName('a-very-long-policy.json')).toBe('a-very-long…');
});
