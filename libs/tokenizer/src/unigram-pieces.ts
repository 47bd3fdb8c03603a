import { PairTable } from './pair-table.js';
import { byteTokenIds, idsOfBytes } from './subword-model.js';
import type { SubwordModel } from './subword-model.js';
import type { UnigramModel } from './tokenizer-json.js';

/** What an unknown character scores below the worst piece. */
const UNKNOWN_PENALTY = 10;
const ROOT = 0;
const NONE = -1;

/**
 * Unigram (SentencePiece): of all ways to cut a word into pieces the one whose scores, log probabilities, add up to
 * most. A Viterbi search from left to right, whose steps are bounded by the length of the word times that of the
 * longest piece; of equal sums the one whose last piece starts first wins.
 *
 * A run of unknown characters is one unknown token.
 */
export class UnigramPieces implements SubwordModel {
  readonly #ids: ReadonlyMap<string, number>;
  /** `[pieces]`. */
  readonly #scores: Float64Array;
  readonly #unknownId: number;
  readonly #unknownScore: number;
  readonly #byteIds: readonly (number | undefined)[] | undefined;
  /** Child of a node by UTF-16 unit: the pieces as a trie. */
  readonly #children = new PairTable();
  /** Id of the piece that ends at a node, or `NONE`. */
  readonly #pieceAt: number[] = [NONE];
  /** Of the best way to each place in a word: its score, where its last piece starts (`NONE`: no way), and its id. */
  #bestScores = new Float64Array(0);
  #bestStarts = new Int32Array(0);
  #bestIds = new Int32Array(0);

  constructor(model: UnigramModel) {
    this.#ids = new Map(model.vocab.map(([piece], id) => [piece, id]));
    this.#scores = Float64Array.from(model.vocab, ([, score]) => score);
    this.#unknownId = model.unk_id;
    this.#unknownScore = this.#scores.reduce((a, b) => Math.min(a, b), Infinity) - UNKNOWN_PENALTY;
    this.#byteIds = model.byte_fallback ? byteTokenIds((token) => this.#ids.get(token)) : undefined;
    for (const [piece, id] of this.#ids) this.#plant(piece, id);
  }

  ids(word: string): number[] {
    this.#search(word);
    const ids: number[] = [];
    let unknownEnd = NONE;
    for (let end = word.length; end > 0;) {
      const start = this.#bestStarts[end]!;
      const id = this.#bestIds[end]!;
      if (id === this.#unknownId) {
        if (unknownEnd === NONE) unknownEnd = end;
        if (start === 0) this.#pushUnknown(word.slice(0, unknownEnd), ids);
      } else {
        if (unknownEnd !== NONE) this.#pushUnknown(word.slice(end, unknownEnd), ids);
        unknownEnd = NONE;
        ids.push(id);
      }
      end = start;
    }
    return ids.toReversed();
  }

  #search(word: string): void {
    const count = word.length;
    if (this.#bestStarts.length <= count) {
      this.#bestScores = new Float64Array(2 * count + 2);
      this.#bestStarts = new Int32Array(2 * count + 2);
      this.#bestIds = new Int32Array(2 * count + 2);
    }
    this.#bestStarts.fill(NONE, 0, count + 1);
    this.#bestScores[0] = 0;
    for (let start = 0; start < count;) {
      const next = start + (word.codePointAt(start)! > 0xffff ? 2 : 1);
      let characterIsPiece = false;
      let node = ROOT;
      for (let at = start; at < count; at += 1) {
        node = this.#children.get(node, word.charCodeAt(at));
        if (node === NONE) break;
        const id = this.#pieceAt[node]!;
        if (id === NONE) continue;
        this.#offer(start, at + 1, id, this.#scores[id]!);
        if (at + 1 === next) characterIsPiece = true;
      }
      if (!characterIsPiece) this.#offer(start, next, this.#unknownId, this.#unknownScore);
      start = next;
    }
  }

  #offer(start: number, end: number, id: number, score: number): void {
    const total = this.#bestScores[start]! + score;
    if (this.#bestStarts[end] !== NONE && total <= this.#bestScores[end]!) return;
    this.#bestScores[end] = total;
    this.#bestStarts[end] = start;
    this.#bestIds[end] = id;
  }

  /** Pushes the ids of a run of unknown characters, the last first. */
  #pushUnknown(run: string, ids: number[]): void {
    const known = this.#ids.get(run);
    const bytes = known === undefined && this.#byteIds && idsOfBytes(run, this.#byteIds);
    if (bytes) for (let i = bytes.length - 1; i >= 0; i -= 1) ids.push(bytes[i]!);
    else ids.push(known ?? this.#unknownId);
  }

  #plant(piece: string, id: number): void {
    let node = ROOT;
    for (let at = 0; at < piece.length; at += 1) {
      const unit = piece.charCodeAt(at);
      let child = this.#children.get(node, unit);
      if (child === NONE) {
        child = this.#pieceAt.length;
        this.#children.set(node, unit, child);
        this.#pieceAt.push(NONE);
      }
      node = child;
    }
    if (node !== ROOT) this.#pieceAt[node] = id;
  }
}
