/** A stream of random numbers that a seed gives: xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32. */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param seeds whole numbers; other ones give a stream that has nothing to do with this one */
  constructor(...seeds: readonly number[]) {
    let mixed = 0;
    for (const seed of seeds) mixed = splitmix(mixed ^ splitmix(seed >>> 0));
    for (let index = 0; index < 4; index++) {
      mixed = (mixed + 0x9e37_79b9) >>> 0;
      this.#state[index] = splitmix(mixed);
    }
  }

  /** @returns 32 random bits, as a number from 0 */
  bits(): number {
    const state = this.#state;
    const one = state[1]!;
    const result = Math.imul(rotated(Math.imul(one, 5), 7), 9) >>> 0;
    const shifted = one << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= one;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotated(state[3]!, 11);
    return result;
  }

  /** @returns a number of [0, 1) */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** @returns a number of the standard normal distribution (Box and Muller, 1958) */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Puts the values in random order, in place (Fisher and Yates). */
  shuffle<T>(values: { length: number; [index: number]: T }): void {
    for (let last = values.length - 1; last > 0; last--) {
      const other = Math.floor(this.uniform() * (last + 1));
      const kept = values[last]!;
      values[last] = values[other]!;
      values[other] = kept;
    }
  }
}

function rotated(value: number, by: number): number {
  return ((value << by) | (value >>> (32 - by))) >>> 0;
}

function splitmix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
