const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Numbers that a field takes in `#spans`: start and end of its key, start and end of its value. */
const SPAN = 4;

/**
 * Where the fields of a JSON object stand in its text, so that they can be carried over untouched: 64-bit integers,
 * order and escapes survive. Takes only text that JSON.parse has accepted as an object; used again for text after text.
 */
export class JsonFields {
  #json = '';
  #spans: number[] = [];
  #names: string[] = [];
  /** Index of the opening brace. */
  open = 0;
  /** Index behind the last field; behind the opening brace when there is none. */
  end = 0;

  /** The decoded names, in order; a name that comes twice is here twice. */
  get names(): readonly string[] {
    return this.#names;
  }

  keyStart(field: number): number {
    return this.#spans[field * SPAN] ?? 0;
  }

  keyEnd(field: number): number {
    return this.#spans[field * SPAN + 1] ?? 0;
  }

  /** The field as it is written: key, colon, value. */
  text(field: number): string {
    return this.#json.slice(this.keyStart(field), this.#spans[field * SPAN + 3]);
  }

  /** The value as it is written. */
  value(field: number): string {
    return this.#json.slice(this.#spans[field * SPAN + 2], this.#spans[field * SPAN + 3]);
  }

  scan(json: string): void {
    this.#json = json;
    this.#spans = [];
    this.#names = [];
    this.open = json.indexOf('{');
    this.end = this.open + 1;
    for (let at = skipSpace(json, this.end); json.charCodeAt(at) === QUOTE; at = skipSpace(json, at + 1)) {
      const keyEnd = skipString(json, at);
      const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
      this.end = skipValue(json, valueStart);
      this.#spans.push(at, keyEnd, valueStart, this.end);
      this.#names.push(stringValue(json.slice(at, keyEnd)));
      at = skipSpace(json, this.end);
    }
  }
}

/** The string that a JSON string is, quotes included, stands for. */
export function stringValue(raw: string): string {
  if (!raw.includes('\\')) return raw.slice(1, -1);
  const value: unknown = JSON.parse(raw);
  return String(value);
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (json.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** @param from index of the opening quote @returns the index behind the closing one */
function skipString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); ; at = json.indexOf('"', at + 1)) {
    let before = at - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at + 1;
  }
}

function skipValue(json: string, from: number): number {
  if (json.charCodeAt(from) === QUOTE) return skipString(json, from);
  let depth = 0;
  for (let at = from; ;) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(json, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (depth === 0 && (code === COMMA || code === CLOSE_BRACE || code <= 0x20)) return at;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
}
