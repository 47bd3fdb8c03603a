import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';

import type { ByteSource } from './byte-source.js';
import type { RecordGrammar } from './record-grammar.js';
import { BROKEN, MORE } from './record-grammar.js';

const LF = 0x0a;
const CR = 0x0d;

export interface SplitLimits {
  /** Longest record, without its line end, in bytes. */
  readonly maxRowBytes: number;
  /** How much is read at once, in bytes. */
  readonly readBytes: number;
}

/** What `RecordSplitter.locate` found. `starved`: call `more()`, then `locate()` again. */
export type Located = 'whole' | 'blank' | 'too-long' | 'unclosed-quote' | 'starved' | 'end';

/**
 * Cuts bytes into records: `locate` finds the next one, `advance` goes behind it. Hashes what it goes past.
 *
 * A record ends with a line feed or the end of the file; one carriage return before either is dropped. Holds at most
 * `maxRowBytes + readBytes` and a few bytes: what is longer is measured without being kept. Whether a record is whole,
 * broken or too long depends neither on `readBytes` nor, between the first two, on `maxRowBytes`.
 */
export class RecordSplitter {
  readonly #source: ByteSource;
  readonly #grammar: RecordGrammar;
  readonly #limits: SplitLimits;
  #buffer: Buffer;
  /** Place in the source of the buffer's first byte. */
  #bufferStart: number;
  #filled = 0;
  #atEnd = false;

  /** Place in the source of the record's first byte, and behind its line end once it is located. */
  #start: number;
  #end = 0;
  /** Index of the first byte not scanned yet. */
  #scanned = 0;
  #located: Located = 'starved';
  /** The record was too long to be kept: its first bytes have left the buffer. */
  #dropped = false;
  #contentFrom = 0;
  #contentTo = 0;

  #hash = createHash('sha256');
  /** Place in the source from which on nothing is hashed yet. */
  #hashed: number;

  /** @param start place of the first record's first byte */
  constructor(source: ByteSource, start: number, grammar: RecordGrammar, limits: SplitLimits) {
    this.#source = source;
    this.#grammar = grammar;
    this.#limits = limits;
    this.#buffer = Buffer.allocUnsafeSlow(limits.readBytes);
    this.#bufferStart = start;
    this.#start = start;
    this.#hashed = start;
    grammar.begin();
  }

  /** Place in the source where the record that comes next, or is located, starts. */
  get start(): number {
    return this.#start;
  }

  get maxRowBytes(): number {
    return this.#limits.maxRowBytes;
  }

  /** Bytes of the located record, its line end included. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that are held. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  /** Bytes of the located whole record, without its line end. */
  get contentBytes(): number {
    return this.#contentTo - this.#contentFrom;
  }

  /** Copies the located whole record, without its line end. */
  copyContent(target: Buffer, at: number): void {
    this.#buffer.copy(target, at, this.#contentFrom, this.#contentTo);
  }

  /** Finds the next record; again and again the same one until `advance`. */
  locate(): Located {
    if (this.#located !== 'starved') return this.#located;
    const index = this.#grammar.scan(this.#buffer, this.#scanned, this.#filled);
    if (index === BROKEN) return this.#found(this.#start + this.#grammar.brokenLine, true);
    if (index !== MORE) return this.#found(this.#bufferStart + index, false);
    this.#scanned = this.#filled;
    return this.#atEnd ? this.#foundLast() : 'starved';
  }

  /** Reads on, so that `locate` can. */
  async more(): Promise<void> {
    this.#makeRoom();
    const read = await this.#source.read(
      this.#buffer.subarray(this.#filled),
      this.#bufferStart + this.#filled,
    );
    this.#filled += read;
    if (read === 0) this.#atEnd = true;
  }

  /** Goes behind the located record: at once where it is in memory. */
  advance(): Promise<void> | undefined {
    if (this.#dropped) return this.passTo(this.#end);
    this.#scanned = this.#end - this.#bufferStart;
    this.#beginAt(this.#end);
    return undefined;
  }

  /** Goes to a place further on, whatever is before it. */
  async passTo(place: number): Promise<void> {
    this.#hashPassed();
    await hashRange(this.#source, this.#hashed, place, this.#hash, this.#buffer);
    this.#hashed = place;
    this.#bufferStart = place;
    this.#filled = 0;
    this.#scanned = 0;
    this.#atEnd = false;
    this.#beginAt(place);
  }

  /** SHA-256, in hex, of the bytes gone past since the start or the last call. */
  takeHash(): string {
    this.#hashPassed();
    const hex = this.#hash.digest('hex');
    this.#hash = createHash('sha256');
    return hex;
  }

  #beginAt(place: number): void {
    this.#start = place;
    this.#located = 'starved';
    this.#dropped = false;
    this.#grammar.begin();
  }

  /** In one piece as long as it can be: a call for each record would cost more than the hash. */
  #hashPassed(): void {
    if (this.#hashed === this.#start) return;
    this.#hash.update(
      this.#buffer.subarray(this.#hashed - this.#bufferStart, this.#start - this.#bufferStart),
    );
    this.#hashed = this.#start;
  }

  #foundLast(): Located {
    const end = this.#bufferStart + this.#filled;
    if (end === this.#start) return 'end';
    if (this.#grammar.mayEnd()) return this.#found(end, false);
    const { brokenLine } = this.#grammar;
    return this.#found(brokenLine === MORE ? end : this.#start + brokenLine, true);
  }

  #found(end: number, broken: boolean): Located {
    this.#end = end;
    this.#located = broken ? 'unclosed-quote' : this.#dropped ? 'too-long' : this.#measure();
    return this.#located;
  }

  #measure(): Located {
    const from = this.#start - this.#bufferStart;
    let to = this.#end - this.#bufferStart;
    if (this.#buffer[to - 1] === LF) to--;
    if (to > from && this.#buffer[to - 1] === CR) to--;
    this.#contentFrom = from;
    this.#contentTo = to;
    if (this.#grammar.isBlank(this.#buffer, from, to)) return 'blank';
    return to - from > this.#limits.maxRowBytes ? 'too-long' : 'whole';
  }

  /** Makes room for at least one more byte: by moving the record to the front, then by growing, then by dropping. */
  #makeRoom(): void {
    this.#hashPassed();
    const { maxRowBytes, readBytes } = this.#limits;
    const from = this.#dropped ? this.#filled : this.#start - this.#bufferStart;
    const kept = this.#filled - from;
    // A record of this many bytes that has not ended is too long even if a CR LF comes next.
    if (kept > maxRowBytes + 2 || this.#dropped) {
      this.#dropped = true;
      this.#bufferStart += this.#filled;
      this.#filled = 0;
      this.#scanned = 0;
      return;
    }
    const wanted = kept + readBytes;
    if (wanted > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(2 * wanted, maxRowBytes + 2 + readBytes));
      this.#buffer.copy(grown, 0, from, this.#filled);
      this.#buffer = grown;
    } else if (from > 0) {
      this.#buffer.copyWithin(0, from, this.#filled);
    } else {
      return;
    }
    this.#bufferStart += from;
    this.#filled = kept;
    this.#scanned -= from;
  }
}

/** Adds bytes `start` to `end` to the hash, through `buffer`. Ends early where the source does. */
export async function hashRange(
  source: ByteSource,
  start: number,
  end: number,
  hash: Hash,
  buffer: Buffer,
): Promise<void> {
  for (let position = start; position < end;) {
    const read = await source.read(buffer.subarray(0, Math.min(buffer.length, end - position)), position);
    if (read === 0) return;
    hash.update(buffer.subarray(0, read));
    position += read;
  }
}
