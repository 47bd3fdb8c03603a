/** The fields of a `WordPiece` model in tokenizer.json, defaults filled in. */
export interface WordPieceOptions {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly unknownId: number;
  /** `##` in BERT. */
  readonly continuingPrefix: string;
  /** A word of more characters (code points) is unknown. */
  readonly maxWordCharacters: number;
}

/**
 * WordPiece: splits a word greedily into the longest pieces of the vocabulary.
 *
 * Example: `unaffable` → `un`, `##aff`, `##able`; a word with any part that is no piece is unknown as a whole.
 */
export class WordPieces {
  readonly unknownId: number;
  readonly #maxWordCharacters: number;
  readonly #initial: ReadonlyMap<string, number>;
  /** Pieces that continue a word, without their prefix. */
  readonly #continuing = new Map<string, number>();
  /** Longest pieces, in UTF-16 units; they bound the search, and so the cost of a hostile word. */
  #longestInitial = 0;
  #longestContinuing = 0;

  constructor(options: WordPieceOptions) {
    this.unknownId = options.unknownId;
    this.#maxWordCharacters = options.maxWordCharacters;
    this.#initial = options.vocabulary;
    for (const [piece, id] of options.vocabulary) {
      this.#longestInitial = Math.max(this.#longestInitial, piece.length);
      if (!piece.startsWith(options.continuingPrefix)) continue;
      const rest = piece.slice(options.continuingPrefix.length);
      this.#continuing.set(rest, id);
      this.#longestContinuing = Math.max(this.#longestContinuing, rest.length);
    }
  }

  /** More UTF-16 units than this are too many characters in any case. */
  get maxWordUnits(): number {
    return 2 * this.#maxWordCharacters;
  }

  /** Ids of the pieces of one normalised word. */
  ids(word: string): number[] {
    if (word.length > this.#maxWordCharacters && characters(word) > this.#maxWordCharacters) {
      return [this.unknownId];
    }
    const ids: number[] = [];
    let start = 0;
    while (start < word.length) {
      const pieces = start === 0 ? this.#initial : this.#continuing;
      const longest = start === 0 ? this.#longestInitial : this.#longestContinuing;
      let end = Math.min(word.length, start + longest);
      let id: number | undefined;
      while (end > start && (id = pieces.get(word.slice(start, end))) === undefined) end -= 1;
      if (id === undefined) return [this.unknownId];
      ids.push(id);
      start = end;
    }
    return ids;
  }
}

function characters(word: string): number {
  let count = 0;
  for (let at = 0; at < word.length; at += word.codePointAt(at)! > 0xffff ? 2 : 1) count += 1;
  return count;
}
