import iconv from 'iconv-lite';

/** Japanese mail's seven-bit charset, which iconv-lite leaves out and every Node.js carries. */
const iso2022jp = /^iso-2022-jp/i;

/**
 * Bytes to text in the charset that a mail names. A charset nobody knows is read as ASCII, and a byte without a
 * meaning becomes U+FFFD. Not `TextDecoder` throughout: its windows-1252 differs between versions of Node.js, and
 * it takes Latin-1 for windows-1252.
 */
export function decodeCharset(bytes: Buffer, charset: string): string {
  if (iso2022jp.test(charset)) return new TextDecoder('iso-2022-jp').decode(bytes);
  return iconv.decode(bytes, iconv.encodingExists(charset) ? charset : 'us-ascii');
}
