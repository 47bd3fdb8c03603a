/** Damages bytes as files get damaged, and as someone would who knows the format. The same for the same random numbers. */

/** Numbers at the edges of what formats hold. */
const EDGES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const NUMBERS_IN_TEXT = [
  '0',
  '-1',
  '1',
  '255',
  '1e9',
  '4294967296',
  '9007199254740993',
  '1e400',
  '0.5',
  'null',
  '"x"',
  '[]',
];

type Mutation = (bytes: Buffer, pick: Pick, others: readonly Buffer[]) => Buffer;

/** A whole number from 0 below `end`. */
type Pick = (end: number) => number;

const mutations: readonly Mutation[] = [
  function flipBit(bytes, pick) {
    const at = pick(bytes.length);
    bytes.writeUInt8(bytes[at]! ^ (1 << pick(8)), at);
    return bytes;
  },
  function setByte(bytes, pick) {
    bytes.writeUInt8(pick(256), pick(bytes.length));
    return bytes;
  },
  function setInteger(bytes, pick) {
    const width = [2, 4, 8][pick(3)]!;
    if (bytes.length < width) return bytes;
    const edge = Buffer.alloc(8);
    edge.writeBigUInt64LE(EDGES[pick(EDGES.length)]!);
    edge.copy(bytes, pick(bytes.length - width + 1), 0, width);
    return bytes;
  },
  function removeRange(bytes, pick) {
    const [start, end] = rangeOf(bytes, pick);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function repeatRange(bytes, pick) {
    const [start, end] = rangeOf(bytes, pick);
    const times = 1 + pick(20);
    return Buffer.concat([
      bytes.subarray(0, start),
      ...Array.from({ length: times }, () => bytes.subarray(start, end)),
      bytes.subarray(start),
    ]);
  },
  function insertBytes(bytes, pick) {
    const at = pick(bytes.length + 1);
    const inserted = Buffer.from(Array.from({ length: 1 + pick(8) }, () => pick(256)));
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
  },
  function cutShort(bytes, pick) {
    return bytes.subarray(0, pick(bytes.length));
  },
  function takeFromAnother(bytes, pick, others) {
    const other = others[pick(others.length)]!;
    const [start, end] = rangeOf(other, pick);
    const at = pick(bytes.length + 1);
    return Buffer.concat([
      bytes.subarray(0, at),
      other.subarray(start, end),
      bytes.subarray(at + (end - start)),
    ]);
  },
];

/** Mostly short ranges. */
function rangeOf(bytes: Buffer, pick: Pick): [number, number] {
  const start = pick(bytes.length + 1);
  const most = [1, 8, 64, 4096][pick(4)]!;
  return [start, Math.min(bytes.length, start + 1 + pick(most))];
}

/** One to four mutations, mostly one. @param others where foreign ranges are taken from */
export function mutate(original: Buffer, random: () => number, others: readonly Buffer[]): Buffer {
  const pick: Pick = (end) => Math.floor(random() * end);
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + pick(1 + pick(4)); left > 0 && bytes.length > 0; left -= 1) {
    bytes = mutations[pick(mutations.length)]!(bytes, pick, others);
  }
  return bytes;
}

/** The same of JSON, most of which stays JSON: numbers, texts and brackets change places or values. */
export function mutateText(original: string, random: () => number): string {
  const pick: Pick = (end) => Math.floor(random() * end);
  let text = original;
  for (let left = 1 + pick(1 + pick(3)); left > 0; left -= 1) {
    const tokens = [...text.matchAll(/-?\d[\d.eE+-]*|"[^"]*"|[[\]{},:]/g)];
    if (tokens.length === 0) return text;
    const { 0: token, index } = tokens[pick(tokens.length)]!;
    const replacement =
      pick(3) === 0 ? tokens[pick(tokens.length)]![0] : NUMBERS_IN_TEXT[pick(NUMBERS_IN_TEXT.length)]!;
    text = text.slice(0, index) + replacement + text.slice(index + token.length);
  }
  return text;
}
