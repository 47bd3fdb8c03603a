import type { RecordGrammar } from './record-grammar.js';
import { BROKEN, isEmpty, MORE } from './record-grammar.js';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

const AT_FIELD_START = 0;
const IN_PLAIN_FIELD = 1;
const IN_QUOTES = 2;
/** The quote just read closes the field, or is the first half of `""`. */
const AT_QUOTE = 3;
/** A carriage return came behind a closing quote: only a line feed may follow. */
const AT_CLOSING_CR = 4;
/** The record is broken, in the line in which its broken field starts. */
const IN_BROKEN_LINE = 5;

/**
 * Records of csv and tsv (RFC 4180). Quotes open at the start of a field only; elsewhere they are ordinary characters.
 *
 * A quoted field that is not closed before the end of the file, or whose closing quote is followed by something else
 * than a delimiter or line end, is broken. A scan of a broken field always stops at or before the next quote that
 * could open a field, so that reading on behind its first line costs at most one more pass over these bytes.
 */
export class QuotedGrammar implements RecordGrammar {
  readonly isBlank = isEmpty;
  brokenLine = MORE;
  readonly #delimiter: number;
  #state = AT_FIELD_START;
  /** Bytes of the record seen by earlier scans. */
  #scanned = 0;

  /** @param delimiter one ASCII character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  begin(): void {
    this.#state = AT_FIELD_START;
    this.#scanned = 0;
    this.brokenLine = MORE;
  }

  scan(bytes: Buffer, from: number, to: number): number {
    const delimiter = this.#delimiter;
    let state = this.#state;
    for (let index = from; index < to; index++) {
      const byte = bytes[index];
      if (state === IN_QUOTES) {
        if (byte === QUOTE) state = AT_QUOTE;
        else if (byte === LF && this.brokenLine === MORE) this.brokenLine = this.#scanned + index + 1 - from;
      } else if (byte === LF) {
        if (state !== IN_BROKEN_LINE) return index + 1;
        this.brokenLine = this.#scanned + index + 1 - from;
        return BROKEN;
      } else if (state === IN_PLAIN_FIELD) {
        if (byte === delimiter) state = AT_FIELD_START;
      } else if (state === AT_FIELD_START) {
        this.brokenLine = MORE;
        if (byte !== delimiter) state = byte === QUOTE ? IN_QUOTES : IN_PLAIN_FIELD;
      } else if (state === AT_QUOTE && byte === delimiter) {
        state = AT_FIELD_START;
      } else if (state === AT_QUOTE && byte === QUOTE) {
        state = IN_QUOTES;
      } else if (state === AT_QUOTE && byte === CR) {
        state = AT_CLOSING_CR;
      } else if (this.brokenLine !== MORE) {
        return BROKEN;
      } else {
        state = IN_BROKEN_LINE;
      }
    }
    this.#state = state;
    this.#scanned += to - from;
    return MORE;
  }

  mayEnd(): boolean {
    return this.#state !== IN_QUOTES && this.#state !== IN_BROKEN_LINE;
  }
}
