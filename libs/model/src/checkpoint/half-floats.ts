/** Conversions between float32 and the two 16-bit formats, by whole arrays. */

const HALF_TO_FLOAT = halfTable();

/** float16 bits (IEEE 754 binary16) to float32; exact. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = HALF_TO_FLOAT[bits[i]!]!;
  return values;
}

/** bfloat16 bits to float32: the upper half of a float32's bits; exact. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/** float32 to float16 bits, to nearest, ties to even; beyond the range becomes infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, toHalf);
}

function toHalf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const mantissa = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  const half = exponent - 112;
  if (half >= 31) return sign | 0x7c00;
  if (half >= 1) return sign | roundShift((half << 23) | mantissa, 13);
  if (half < -10) return sign;
  return sign | roundShift(mantissa | 0x800000, 14 - half);
}

/** value ÷ 2^shift, to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const dropped = value & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return dropped > middle || (dropped === middle && (kept & 1) === 1) ? kept + 1 : kept;
}

function halfTable(): Float32Array {
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 0x1f;
    const mantissa = bits & 0x3ff;
    if (exponent === 0) table[bits] = sign * mantissa * 2 ** -24;
    else if (exponent === 31) table[bits] = mantissa === 0 ? sign * Infinity : NaN;
    else table[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
  }
  return table;
}
