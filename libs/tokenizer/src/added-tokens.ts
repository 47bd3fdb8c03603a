/** A token that is recognised in the raw text, before anything else looks at it, such as a literal `[SEP]`. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
}

export interface AddedTokenMatch {
  readonly start: number;
  readonly end: number;
  readonly id: number;
}

/** Finds added tokens: leftmost first, the longest of those that start at one place. */
export class AddedTokens {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.#ids = new Map(tokens.map(({ content, id }) => [content, id]));
    const alternatives = [...this.#ids.keys()]
      .filter((content) => content !== '')
      .sort((a, b) => b.length - a.length)
      .map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`));
    if (alternatives.length > 0) this.#pattern = new RegExp(alternatives.join('|'), 'g');
  }

  *find(text: string): Generator<AddedTokenMatch> {
    if (this.#pattern === undefined) return;
    for (const match of text.matchAll(this.#pattern)) {
      const [content] = match;
      yield { start: match.index, end: match.index + content.length, id: this.#ids.get(content)! };
    }
  }
}
