import type { ByteSource } from '../byte-source.js';
import { CorpusOpenError } from '../corpus-errors.js';
import { ParquetFormatError } from './parquet-errors.js';
import type { SchemaNode } from './parquet-schema.js';
import { schemaTree } from './parquet-schema.js';
import type { RowGroup } from './row-group.js';
import { readRowGroup } from './row-group.js';
import { readSchemaElement } from './schema-element.js';
import { ThriftReader } from './thrift-reader.js';

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
/** The length of the footer and the magic bytes behind it. */
const TAIL_BYTES = 8;
/** What is read of a file before anything in it was checked. */
const MOST_FOOTER_BYTES = 1 << 26;

/** What a Parquet file says of itself. */
export interface ParquetFooter {
  readonly fields: readonly SchemaNode[];
  readonly rowGroups: readonly RowGroup[];
  readonly rows: number;
  /** As they stand in the file. */
  readonly bytes: Buffer;
}

/**
 * Reads the footer, and checks every place and size that it states against the file's size before any of them is used.
 * @param source must know its size
 * @param maxColumns columns of values that the file may have
 * @throws CorpusOpenError when it is no Parquet, encrypted, or contradicts itself
 */
export async function readFooter(source: ByteSource, maxColumns: number): Promise<ParquetFooter> {
  const bytes = await footerBytes(source);
  try {
    return parseFooter(bytes, (source.bytes ?? 0) - TAIL_BYTES - bytes.length, maxColumns);
  } catch (cause) {
    if (!(cause instanceof ParquetFormatError)) throw cause;
    throw new CorpusOpenError(source.path, `its footer is broken: ${cause.message}.`, { cause });
  }
}

async function footerBytes(source: ByteSource): Promise<Buffer> {
  const size = source.bytes ?? 0;
  if (size < MAGIC.length + TAIL_BYTES)
    throw new CorpusOpenError(source.path, `${size} bytes are no Parquet file.`);
  const head = await readBytes(source, 0, MAGIC.length);
  const tail = await readBytes(source, size - TAIL_BYTES, TAIL_BYTES);
  const magic = tail.toString('latin1', 4);
  if (magic === ENCRYPTED_MAGIC) throw new CorpusOpenError(source.path, 'it is encrypted. Decrypt it first.');
  if (magic !== MAGIC || head.toString('latin1') !== MAGIC) {
    throw new CorpusOpenError(
      source.path,
      'it is no whole Parquet file: expected the bytes PAR1 at its start and end.',
    );
  }
  const length = tail.readUInt32LE(0);
  const most = Math.min(size - MAGIC.length - TAIL_BYTES, MOST_FOOTER_BYTES);
  if (length > most) {
    throw new CorpusOpenError(source.path, `its footer claims ${length} bytes, and may have ${most}.`);
  }
  return readBytes(source, size - TAIL_BYTES - length, length);
}

/** @param dataEnd where the footer starts */
function parseFooter(bytes: Buffer, dataEnd: number, maxColumns: number): ParquetFooter {
  const { fields, rows } = readSchema(bytes, maxColumns);
  const leaves = fields.flatMap((field) => [...field.leaves]);
  const rowGroups: RowGroup[] = [];
  const reader = new ThriftReader(bytes);
  reader.struct({
    4: (type) => reader.list(type, (group) => rowGroups.push(readRowGroup(reader, group, leaves, dataEnd))),
  });
  // A damaged byte can end it anywhere, and the rows of what follows would be lost.
  if (reader.at !== bytes.length) {
    throw new ParquetFormatError(`it ends at byte ${reader.at} of its ${bytes.length}`);
  }
  const [counted, stored] = totals(rowGroups);
  if (counted !== rows) throw new ParquetFormatError(`it claims ${rows} rows, and its row groups ${counted}`);
  // A file that has the same bytes for several columns is made to give out more than it holds.
  if (stored > dataEnd)
    throw new ParquetFormatError(`its columns claim ${stored} bytes of the file's ${dataEnd}`);
  return { fields, rowGroups, rows, bytes };
}

function readSchema(bytes: Buffer, maxColumns: number): Pick<ParquetFooter, 'fields' | 'rows'> {
  const elements: ReturnType<typeof readSchemaElement>[] = [];
  let rows = -1;
  let leaves = 0;
  const reader = new ThriftReader(bytes);
  reader.struct({
    2: (type) =>
      reader.list(type, () => {
        const element = readSchemaElement(reader);
        if (element.leaf !== undefined && ++leaves > maxColumns) {
          throw new ParquetFormatError(`it has more than ${maxColumns} columns (--max-columns)`);
        }
        elements.push(element);
      }),
    3: (type) => (rows = reader.integer(type)),
    8: () => {
      throw new ParquetFormatError('it is encrypted. Decrypt it first');
    },
  });
  return { fields: schemaTree(elements), rows };
}

function totals(rowGroups: readonly RowGroup[]): [rows: number, bytes: number] {
  let rows = 0;
  let bytes = 0;
  for (const group of rowGroups) {
    rows += group.rows;
    bytes += group.bytes;
  }
  return [rows, bytes];
}

/** @throws ParquetFormatError when the source ends before them */
export async function readBytes(source: ByteSource, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = await source.read(bytes.subarray(filled), start + filled);
    if (read === 0) throw new ParquetFormatError(`the file ends at byte ${start + filled}`);
    filled += read;
  }
  return bytes;
}
