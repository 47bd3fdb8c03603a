import { Random } from '#training/data/random.js';

/** Texts that a model of letters learns in seconds. */
export class LetterCorpus {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Three to eight letters; the label is what the first one is. */
  row(): { text: string; label: 'early' | 'late' } {
    const length = 3 + Math.floor(this.#random.uniform() * 6);
    const letters = Array.from({ length }, () =>
      String.fromCodePoint(97 + Math.floor(this.#random.uniform() * 26)),
    );
    return { text: letters.join(' '), label: letters[0]! < 'n' ? 'early' : 'late' };
  }

  rows(count: number): { text: string; label: 'early' | 'late' }[] {
    return Array.from({ length: count }, () => this.row());
  }
}
