import { IS_SPACE, unicodeClasses } from './unicode-classes.js';

/** A token that is recognised in the text, before anything else looks at it, such as a literal `[SEP]`. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Takes the white space before it too. */
  readonly lstrip: boolean;
  /** Takes the white space after it too. */
  readonly rstrip: boolean;
}

interface AddedTokenMatch {
  readonly start: number;
  readonly end: number;
  readonly id: number;
}

/** Finds added tokens: leftmost first, the longest of those that start at one place. */
export class AddedTokens {
  readonly #tokens: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = new Map(tokens.map((token) => [token.content, token]));
    const alternatives = [...this.#tokens.keys()]
      .filter((content) => content !== '')
      .sort((a, b) => b.length - a.length)
      .map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`));
    if (alternatives.length > 0) this.#pattern = new RegExp(alternatives.join('|'), 'g');
  }

  *find(text: string): Generator<AddedTokenMatch> {
    if (this.#pattern === undefined) return;
    let free = 0;
    for (const match of text.matchAll(this.#pattern)) {
      const { content, id, lstrip, rstrip } = this.#tokens.get(match[0])!;
      let start = match.index;
      let end = start + content.length;
      if (lstrip) while (start > free && isSpace(text, start - 1)) start -= 1;
      if (rstrip) while (end < text.length && isSpace(text, end)) end += 1;
      yield { start, end, id };
      free = end;
    }
  }
}

function isSpace(text: string, at: number): boolean {
  return (unicodeClasses[text.charCodeAt(at)]! & IS_SPACE) !== 0;
}
