import type { ByteSource } from '../byte-source.js';
import { ColumnPages } from './column-pages.js';
import type { DecodeLedger } from './decode-ledger.js';
import type { Decompress } from './page-codec.js';
import { pageDecompressor } from './page-codec.js';
import type { PageHeader } from './page-header.js';
import type { NextValue, ValueFormat } from './page-values.js';
import { dictionaryTexts, pageValues } from './page-values.js';
import { ParquetColumnError, ParquetFormatError } from './parquet-errors.js';
import type { Leaf } from './parquet-schema.js';
import type { ColumnChunk } from './row-group.js';
import { readRunLengths } from './run-lengths.js';
import type { ValueText } from './value-text.js';

/** What an entry of a page costs in memory: its levels and its place in a dictionary. */
const ENTRY_BYTES = 8;

/** A decoded page; its values are still bytes. */
interface Page {
  readonly entries: number;
  /** Of each entry; undefined where all values are there, `[entries]`. */
  readonly definitions: Uint8Array | undefined;
  /** Undefined where nothing repeats, `[entries]`. */
  readonly repetitions: Uint8Array | undefined;
  readonly next: NextValue;
  /** As entered in the ledger. */
  readonly held: number;
}

/**
 * Reads one column of a row group, page by page: of its pages only those of the row that is read are in memory.
 *
 * An entry is a value, or a null or an empty list in its place. Its repetition level says which field on its path
 * repeats with it (0: a new row), its definition level how many of them are there. https://research.google/pubs/pub36632
 */
export class ColumnReader {
  readonly leaf: Leaf;
  readonly #format: ValueFormat;
  readonly #chunk: ColumnChunk;
  readonly #pages: ColumnPages;
  readonly #ledger: DecodeLedger;
  readonly #decompress: Decompress;
  #dictionary: (string | undefined)[] | undefined;
  /** Of the dictionary, as entered in the ledger. */
  #dictionaryHeld = 0;
  readonly #loaded: Page[] = [];
  /** Entry of the first loaded page. */
  #at = 0;
  /** Entries of all pages so far, passed ones included. */
  #entries = 0;
  /** Rows that start in the loaded pages, at or behind the entry. */
  #starts = 0;

  private constructor(
    source: ByteSource,
    chunk: ColumnChunk,
    leaf: Leaf,
    text: ValueText,
    ledger: DecodeLedger,
    decompress: Decompress,
  ) {
    this.leaf = leaf;
    this.#chunk = chunk;
    this.#format = { ...leaf, text };
    this.#pages = new ColumnPages(source, chunk);
    this.#ledger = ledger;
    this.#decompress = decompress;
  }

  static async open(
    source: ByteSource,
    chunk: ColumnChunk,
    leaf: Leaf,
    text: ValueText,
    ledger: DecodeLedger,
  ): Promise<ColumnReader> {
    return new ColumnReader(source, chunk, leaf, text, ledger, await pageDecompressor(chunk.codec));
  }

  /** Rows whose entries are all loaded. */
  get rows(): number {
    // The last row of a page may go on in the next.
    return this.#repeats && !this.#ended ? Math.max(0, this.#starts - 1) : this.#starts;
  }

  /** Loads until there is a whole row. @throws ParquetFormatError where there is none */
  async fill(): Promise<void> {
    while (this.rows === 0) {
      if (!(await this.#load(0))) throw new ParquetFormatError('it has fewer rows than its row group');
    }
  }

  /** Passes over rows; of a column without lists over whole pages unread. */
  async skip(rows: number): Promise<void> {
    for (let left = rows; left > 0;) {
      if (this.rows > 0) {
        this.take(0);
        while (this.#loaded.length > 0 && this.repetition > 0) this.take(this.repetition);
        left--;
      } else {
        const before = this.#entries;
        if (!(await this.#load(this.#repeats ? 0 : left))) {
          throw new ParquetFormatError('it has fewer rows than its row group');
        }
        if (this.rows === 0 && !this.#repeats) left -= this.#entries - before;
      }
    }
  }

  /** Levels of the entry. */
  get definition(): number {
    return this.#loaded[0]?.definitions?.[this.#at] ?? this.leaf.maxDefinition;
  }

  get repetition(): number {
    return this.#loaded[0]?.repetitions?.[this.#at] ?? 0;
  }

  /**
   * Takes the entry.
   * @param repetition that it must have
   * @returns its value's text; undefined where there is no value, or one that is not UTF-8
   * @throws ParquetFormatError
   */
  take(repetition: number): string | undefined {
    const page = this.#loaded[0];
    if (page === undefined || this.repetition !== repetition) {
      throw new ParquetColumnError(this.leaf.path, 'its lists have other lengths than those beside it');
    }
    const isThere = page.definitions === undefined || page.definitions[this.#at] === this.leaf.maxDefinition;
    if (repetition === 0) this.#starts--;
    this.#at++;
    const value = isThere ? this.#next(page) : undefined;
    if (this.#at === page.entries) {
      this.#loaded.shift();
      this.#at = 0;
      this.#ledger.release(page.held);
    }
    return value;
  }

  /** After the last row: the hash of the column's bytes, unless some were not read. @throws ParquetFormatError */
  async finish(): Promise<string | undefined> {
    if (!this.#ended || this.#loaded.length > 0) {
      throw new ParquetFormatError('it has more rows than its row group');
    }
    // The ledger is that of all row groups, and the next ones have dictionaries of their own.
    this.#ledger.release(this.#dictionaryHeld);
    this.#dictionaryHeld = 0;
    this.#dictionary = undefined;
    return this.#pages.digest();
  }

  #next(page: Page): string | undefined {
    try {
      return page.next();
    } catch (cause) {
      throw new ParquetColumnError(this.leaf.path, cause);
    }
  }

  get #repeats(): boolean {
    return this.leaf.maxRepetition > 0;
  }

  get #ended(): boolean {
    return this.#entries === this.#chunk.entries;
  }

  /**
   * Loads one more page with entries.
   * @param passable a page of no more entries is passed over
   * @returns false where there is none
   */
  async #load(passable: number): Promise<boolean> {
    while (!this.#ended) {
      const header = await this.#pages.header();
      if (header === undefined) return false;
      const { kind, entries } = header;
      if (kind === 'dictionary') {
        this.#readDictionary(header, await this.#pages.body(header));
        continue;
      }
      if (kind === 'other' || entries === 0) {
        await this.#pages.body(header);
        continue;
      }
      if (this.#entries + entries > this.#chunk.entries) {
        throw new ParquetFormatError(
          `its pages have more than the ${this.#chunk.entries} entries that it claims`,
        );
      }
      if (entries <= passable) this.#pages.pass(header);
      else this.#decode(header, await this.#pages.body(header));
      this.#entries += entries;
      return true;
    }
    return false;
  }

  #readDictionary(header: PageHeader, body: Buffer): void {
    if (this.#dictionary !== undefined) throw new ParquetFormatError('it has two dictionaries');
    this.#ledger.comesOut(header.bytes);
    this.#dictionaryHeld = header.bytes + header.entries * ENTRY_BYTES;
    this.#ledger.hold(this.#dictionaryHeld);
    this.#dictionary = dictionaryTexts(this.#decompress(body, header.bytes), header.entries, this.#format);
  }

  #decode(header: PageHeader, body: Buffer): void {
    const held = header.bytes + header.entries * ENTRY_BYTES;
    this.#ledger.comesOut(header.bytes + header.entries);
    this.#ledger.hold(held);
    const { values, repetitions, definitions } = this.#levels(header, body);
    const { maxDefinition } = this.leaf;
    let count = header.entries;
    let starts = header.entries;
    if (definitions !== undefined) for (const level of definitions) if (level < maxDefinition) count--;
    if (repetitions !== undefined) for (const level of repetitions) if (level > 0) starts--;
    const next = pageValues(header.encoding, values, count, this.#format, this.#dictionary);
    this.#loaded.push({ entries: header.entries, definitions, repetitions, next, held });
    this.#starts += starts;
  }

  /** Levels and the bytes of the values. */
  #levels(header: PageHeader, body: Buffer): Pick<Page, 'definitions' | 'repetitions'> & { values: Buffer } {
    const { maxDefinition, maxRepetition } = this.leaf;
    const read = (bytes: Buffer, most: number): Uint8Array | undefined => {
      if (most === 0) return undefined;
      const levels = new Uint8Array(header.entries);
      readRunLengths(bytes, 32 - Math.clz32(most), levels, most);
      return levels;
    };
    if (header.kind === 'data-2') {
      const { repetitionBytes, definitionBytes, compressed } = header;
      const before = repetitionBytes + definitionBytes;
      const stored = body.subarray(before);
      return {
        repetitions: read(body.subarray(0, repetitionBytes), maxRepetition),
        definitions: read(body.subarray(repetitionBytes, before), maxDefinition),
        values: compressed ? this.#decompress(stored, header.bytes - before) : stored,
      };
    }
    let values = this.#decompress(body, header.bytes);
    const part = (most: number): Buffer => {
      if (most === 0) return values.subarray(0, 0);
      if (values.length < 4 || values.readUInt32LE(0) > values.length - 4) {
        throw new ParquetFormatError('a page ends in its levels');
      }
      const end = 4 + values.readUInt32LE(0);
      const bytes = values.subarray(4, end);
      values = values.subarray(end);
      return bytes;
    };
    const repetitions = read(part(maxRepetition), maxRepetition);
    const definitions = read(part(maxDefinition), maxDefinition);
    return { repetitions, definitions, values };
  }
}
