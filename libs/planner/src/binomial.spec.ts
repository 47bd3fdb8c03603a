import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawSurvivors } from './binomial.js';
import { EventQueue } from './event-queue.js';
import { Queue } from './queue.js';
import { randomNumbers } from './random.js';

it.each([
  [1024, 0.01],
  [1024, 0.3],
  [1024, 0.97],
  [7, 0.5],
  [100_000, 0.0001],
])(
  'draws of %i rows as many as survive, by the mean and variance of the binomial distribution: p %f',
  (rows, p) => {
    const random = randomNumbers(7);
    const draws = Array.from({ length: 20_000 }, () => drawSurvivors(rows, p, random));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    const expected = rows * p * (1 - p);
    // Five standard errors.
    expect(Math.abs(mean - rows * p)).toBeLessThan(5 * Math.sqrt(expected / draws.length));
    expect(variance / expected).toBeGreaterThan(0.9);
    expect(variance / expected).toBeLessThan(1.1);
  },
);

it('never draws fewer than none or more than all', () => {
  const any = fc.tuple(
    fc.integer({ min: 0, max: 5000 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(),
  );
  fc.assert(
    fc.property(any, ([rows, p, seed]) => {
      const drawn = drawSurvivors(rows, p, randomNumbers(seed));
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn <= rows).toBe(true);
      expect(drawSurvivors(rows, 0, randomNumbers(seed))).toBe(0);
      expect(drawSurvivors(rows, 1, randomNumbers(seed))).toBe(rows);
    }),
  );
});

it('gives events in the order of their times, and of one time in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (times) => {
      const queue = new EventQueue();
      const seen: [time: number, added: number][] = [];
      for (const [added, time] of times.entries()) queue.add(time, () => seen.push([time, added]));
      while (queue.length > 0) queue.next().act();
      const sorted = times
        .map((time, added): [number, number] => [time, added])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(seen).toEqual(sorted);
    }),
  );
  expect(() => new EventQueue().next()).toThrow(RangeError);
});

it('is a queue, however much goes through it', () => {
  const queue = new Queue<number>();
  for (let at = 0; at < 5000; at += 1) {
    queue.push(2 * at);
    queue.push(2 * at + 1);
    expect(queue.peek()).toBe(at);
    expect(queue.shift()).toBe(at);
  }
  expect(queue.length).toBe(5000);
});
