/** Uniform numbers of [0, 1) that a seed gives. */
export type RandomNumbers = () => number;

/** mulberry32 (T. Ettinger, 2017, public domain): one state of 32 bits, fast, good enough to draw what a simulation draws. */
export function randomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
