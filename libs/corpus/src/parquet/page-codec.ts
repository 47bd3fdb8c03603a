import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ZSTDDecoder } from 'zstddec';
import { decompressHadoopLz4, decompressLz4 } from './lz4.js';
import { ParquetFormatError } from './parquet-errors.js';
import type { Codec } from './row-group.js';
import { decompressSnappy } from './snappy.js';

/** Decompresses a page; `length` bytes must come out, and no more are made room for. */
export type Decompress = (stored: Buffer, length: number) => Buffer;

const byCodec: Readonly<Record<Exclude<Codec, 'ZSTD' | 'LZO'>, Decompress>> = {
  UNCOMPRESSED: (stored) => stored,
  SNAPPY: decompressSnappy,
  GZIP: (stored, length) => gunzipSync(stored, { maxOutputLength: length }),
  BROTLI: (stored, length) => brotliDecompressSync(stored, { maxOutputLength: length }),
  LZ4: decompressHadoopLz4,
  LZ4_RAW: decompressLz4,
};

/**
 * The decompressor of a codec. What it does throws when it does not give the length that was asked for.
 * @throws ParquetFormatError where the codec is not read here
 */
export async function pageDecompressor(codec: Codec): Promise<Decompress> {
  if (codec === 'LZO') throw new ParquetFormatError('it is compressed with LZO, which is not read here');
  const decompress = codec === 'ZSTD' ? await zstdDecompressor() : byCodec[codec];
  return (stored, length) => {
    if (length === 0) return Buffer.alloc(0);
    const bytes = decompress(stored, length);
    if (bytes.length === length) return bytes;
    throw new ParquetFormatError(`a page of ${codec} data has ${bytes.length} bytes instead of ${length}`);
  };
}

async function zstdDecompressor(): Promise<Decompress> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (stored, length) => {
    const { buffer, byteOffset, byteLength } = decoder.decode(stored, length);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}
