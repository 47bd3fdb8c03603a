/** Files that lie, want code to run, or want more memory than there is: each is refused on one line that names it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PickledTensor } from '../../../../test/torch-archive.js';
import {
  legacyFile,
  pickle,
  pickledDictionary,
  pickledTensor,
  torchArchive,
  zipArchive,
} from '../../../../test/torch-archive.js';
import { TorchFile } from './torch-file.js';
import { TorchFileError } from './torch-file-error.js';

let path: string;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-hostile-torch-'));
  path = join(scratch, 'weights.bin');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What is said of a file on opening it, or on reading each of its tensors. */
async function refusalOf(bytes: Uint8Array): Promise<string> {
  await writeFile(path, bytes);
  try {
    const file = await TorchFile.open(path);
    try {
      for (const name of file.names()) await file.read(name);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof TorchFileError)) throw error;
    expect(error.path).toBe(path);
    expect(error.message.split('\n')).toHaveLength(1);
    expect(error.message.length).toBeLessThan(2000);
    return error.message;
  }
  return 'nothing';
}

const eight = new Uint8Array(32);
const tensor = (changes: Partial<PickledTensor> = {}): PickledTensor => ({
  storage: '0',
  elements: 8,
  offset: 0,
  shape: [2, 4],
  strides: [4, 1],
  ...changes,
});
const sound = pickledDictionary({ w: pickledTensor(tensor()) });
const archiveOf = (...opcodes: readonly Buffer[]): Buffer =>
  torchArchive(Buffer.concat([pickle.proto(), ...opcodes]), { 0: eight });
const call = (callee: Buffer): Buffer =>
  Buffer.concat([callee, pickle.mark, pickle.text('touch /tmp/owned'), pickle.tuple, pickle.reduce]);

it('the sound file of which the others are made is read', async () => {
  expect(await refusalOf(torchArchive(sound, { 0: eight }))).toBe('nothing');
});

describe('what asks for foreign code', () => {
  it.each([
    ['GLOBAL and REDUCE', call(pickle.global('posix', 'system')), 'posix.system'],
    [
      'STACK_GLOBAL',
      call(Buffer.concat([pickle.text('builtins'), pickle.text('eval'), pickle.stackGlobal])),
      'builtins.eval',
    ],
    ['INST', pickle.instance('os', 'popen'), 'os.popen'],
    ['a class that is only named', pickle.global('subprocess', 'Popen'), 'subprocess.Popen'],
    ['a module of torch', call(pickle.global('torch.hub', 'load')), 'torch.hub.load'],
    ['a name inside an allowed module', call(pickle.global('collections', 'abc')), 'collections.abc'],
    ['a storage class of a module', pickle.global('evil', 'FloatStorage'), 'evil.FloatStorage'],
    ['a name with a dot', pickle.global('collections', 'OrderedDict.__class__'), 'OrderedDict.__class__'],
    ['a name of JavaScript', pickle.global('constructor', 'constructor'), 'constructor.constructor'],
    ['a name that writes on the terminal', pickle.global('a\u001B[2J', 'b'), String.raw`a\u001b[2J.b`],
    ['a name that never ends', pickle.global('a'.repeat(100_000), 'b'), 'aaaa'],
  ])('%s', async (_, opcodes, name) => {
    const said = await refusalOf(archiveOf(opcodes, pickle.stop));
    expect(said).toContain(name);
    expect(said).toContain('which no weights need; nothing of it was executed');
  });

  it.each([
    ['a storage class is called', call(pickle.global('torch', 'FloatStorage')), /calls torch\.FloatStorage/],
    ['a text is called', call(pickle.text('eval')), /its pickle calls a string/],
    ['an extension registry', Buffer.from([0x82, 1]), /opcode 0x82 at byte 2, which no weights need/],
    ['a new object', Buffer.from([0x81]), /opcode 0x81/],
    [
      'the state of a text',
      Buffer.concat([pickle.text('x'), pickle.none, pickle.build]),
      /sets the state of a string/,
    ],
    [
      'a tensor without a storage',
      Buffer.concat([pickle.global('torch._utils', '_rebuild_tensor_v2'), pickle.emptyTuple, pickle.reduce]),
      /makes a tensor of nothing/,
    ],
    [
      'a parameter without a tensor',
      Buffer.concat([
        pickle.global('torch._utils', '_rebuild_parameter'),
        pickle.none,
        pickle.tuple1,
        pickle.reduce,
      ]),
      /makes a parameter of None/,
    ],
    [
      'an id that is no storage',
      Buffer.concat([pickle.text('file:///etc'), pickle.persistent]),
      /no storage/,
    ],
  ])('%s', async (_, opcodes, says) => {
    expect(await refusalOf(archiveOf(opcodes, pickle.stop))).toMatch(says);
  });
});

describe('tensors that reach beyond their storage', () => {
  it.each([
    ['an offset', { offset: 1 }, /tensor 'w' .* reaches beyond the 8 elements/],
    ['strides', { strides: [8, 1] }, /reaches beyond/],
    ['a shape', { shape: [3, 4] }, /reaches beyond/],
    [
      'a shape whose product overflows',
      { shape: [2 ** 52, 2 ** 52], strides: [0, 0] },
      /repeats the 8 elements/,
    ],
    ['a reach that overflows', { shape: [2 ** 52, 2], strides: [2 ** 52, 1] }, /reaches beyond/],
    ['a negative offset', { offset: -1 }, /not whole numbers from 0/],
    ['a negative stride', { strides: [-4, 1] }, /not whole numbers from 0/],
    ['fewer strides than dimensions', { strides: [1] }, /as many strides as dimensions/],
    ['nine dimensions', { shape: Array(9).fill(1), strides: Array(9).fill(1) }, /as many strides as/],
    ['elements that overlap', { strides: [1, 1] }, /tensor 'w' has elements that overlap/],
    [
      'a storage of more elements than bytes',
      { elements: 9 },
      /storage "0" of tensor 'w' needs 36 bytes; the file has 32/,
    ],
    ['a storage of 2⁵³ elements', { elements: 2 ** 53 }, /no storage/],
    ['another storage', { storage: '../0' }, /its storage "\.\.\/0" is missing/],
    ['a type that is none', { type: 'Object' }, /asks for "torch\.ObjectStorage"/],
    ['a storage of doubles', { type: 'Double' }, /needs 64 bytes; the file has 32/],
  ] satisfies [string, Partial<PickledTensor>, RegExp][])('%s', async (_, changes, says) => {
    const data = pickledDictionary({ w: pickledTensor(tensor(changes)) });
    expect(await refusalOf(torchArchive(data, { 0: eight }))).toMatch(says);
  });

  it('a part beyond its storage', async () => {
    const data = pickledDictionary({ w: pickledTensor(tensor({ part: [4, 5] }), 'legacy') });
    expect(await refusalOf(legacyFile(data, [{ key: '0', elements: 8, content: eight }]))).toMatch(
      /looks at a part of storage 0 that lies outside of it/,
    );
  });
});

/** Holds 2^steps texts, of which there is one. */
const doubled = (steps: number): Buffer[] => [
  pickle.text('xxxxxxxx'),
  ...Array.from({ length: steps }, () => Buffer.concat([pickle.duplicate, pickle.tuple2])),
];

describe('pickles that want memory or time', () => {
  it.each([
    ['a tree that doubles 200 times', archiveOf(...doubled(200), pickle.stop), /it holds a list or tuple/],
    [
      'a dictionary with such a tree as its key',
      archiveOf(pickle.emptyDict, ...doubled(200), pickle.none, pickle.setItem, pickle.stop),
      /it holds no tensors.*it has a list or tuple/,
    ],
    [
      'a list that holds itself',
      archiveOf(pickle.emptyList, pickle.duplicate, pickle.append, pickle.stop),
      /it holds a list or tuple/,
    ],
    [
      'an OrderedDict of a list, again and again',
      archiveOf(
        pickle.mark,
        ...Array.from({ length: 200 }, () => Buffer.concat([pickle.none, pickle.none, pickle.tuple2])),
        pickle.list,
        pickle.put(0),
        ...Array.from({ length: 10_000 }, () =>
          Buffer.concat([
            pickle.global('collections', 'OrderedDict'),
            pickle.get(0),
            pickle.tuple1,
            pickle.reduce,
          ]),
        ),
        pickle.stop,
      ),
      /makes over 500000 objects/,
    ],
    [
      'three million values',
      archiveOf(pickle.none, Buffer.alloc(3_000_000, '2')),
      /stacks over 2000000 values/,
    ],
    ['three million marks', archiveOf(Buffer.alloc(3_000_000, '(')), /over 2000000 marks/],
    ['three million lists', archiveOf(Buffer.alloc(3_000_000, ']')), /makes over 500000 objects/],
    [
      'an integer of 4 GB',
      archiveOf(Buffer.from([0x8b, 255, 255, 255, 255])),
      /an integer of 4294967295 bytes/,
    ],
    ['a text of 4 GB', archiveOf(Buffer.from([0x58, 255, 255, 255, 255])), /ends at byte 7, inside/],
    ['a text of 2⁶⁴ bytes', archiveOf(Buffer.from([0x8d, ...Array(8).fill(255)])), /ends at byte 11, inside/],
    ['a line without an end', archiveOf(Buffer.from('I' + '1'.repeat(100_000))), /ends inside a line/],
    ['a value that it never kept', archiveOf(pickle.get(7), pickle.stop), /recalls value 7/],
    ['nothing at all', archiveOf(pickle.stop), /takes a value where there is none/],
    [
      'values below a mark',
      archiveOf(pickle.none, pickle.mark, pickle.stop),
      /takes a value where there is none/,
    ],
    ['no mark', archiveOf(pickle.tuple), /has no mark/],
    [
      'a key without a value',
      archiveOf(pickle.emptyDict, pickle.mark, pickle.none, pickle.setItems),
      /a key without a value/,
    ],
    ['no end', archiveOf(pickle.none), /its pickle ends at byte 3/],
    [
      'a pickle of 17 MB',
      archiveOf(Buffer.alloc(17_000_000, '0')),
      /its data\.pkl has 17000002 bytes; at most 16777216/,
    ],
    [
      'no tensors',
      archiveOf(pickle.emptyDict, pickle.text('a\nb'), pickle.none, pickle.setItem, pickle.stop),
      /no tensors.*it has a\\u\{a\}b/,
    ],
  ])('%s', async (_, bytes, says) => {
    expect(await refusalOf(bytes)).toMatch(says);
  });
});

describe('zip containers that lie', () => {
  const data = { name: 'archive/data.pkl', content: sound };
  const storage = { name: 'archive/data/0', content: eight };
  const changed = (change: (entry: Buffer) => void): Buffer => zipArchive([data, { ...storage, change }]);
  /** @param at in the last 22 bytes */
  const endChanged = (at: number, value: number): Buffer => {
    const bytes = zipArchive([data, storage]);
    bytes.writeUInt32LE(value, bytes.length - 22 + at);
    return bytes;
  };
  it.each([
    [
      'an entry beyond the file',
      changed((entry) => entry.writeUInt32LE(1_000_000, 42)),
      /'archive\/data\/0' claims 32 bytes from 1000000 on/,
    ],
    [
      'an entry larger than the file',
      changed((entry) => {
        entry.writeUInt32LE(0xfffffff0, 20);
        entry.writeUInt32LE(0xfffffff0, 24);
      }),
      /claims 4294967280 bytes/,
    ],
    ['an entry elsewhere', changed((entry) => entry.writeUInt32LE(3, 42)), /is not at byte 3/],
    ['two sizes', changed((entry) => entry.writeUInt32LE(31, 20)), /is of two sizes, 32 and 31/],
    ['a compressed entry', changed((entry) => entry.writeUInt16LE(8, 10)), /is compressed; .* torch\.save/],
    ['an encrypted entry', changed((entry) => entry.writeUInt16LE(1, 8)), /is encrypted/],
    [
      'sizes of a large file that are missing',
      changed((entry) => entry.writeUInt32LE(0xffffffff, 24)),
      /lacks the sizes of a large file/,
    ],
    [
      'a name beyond the directory',
      changed((entry) => entry.writeUInt16LE(60_000, 28)),
      /ends inside an entry/,
    ],
    ['no directory', endChanged(0, 0), /the directory at the end of its zip archive is missing/],
    ['a directory beyond the file', endChanged(16, 1_000_000), /its zip directory claims .* from 1000000 on/],
    ['a directory of 4 GB', endChanged(12, 0xfffffff0), /its zip directory claims 4294967280 bytes/],
    ['a directory that is none', endChanged(16, 0), /no entry at its byte 0/],
    ['an entry twice', zipArchive([data, storage, storage]), /has 'archive\/data\/0' twice/],
    [
      'two values',
      zipArchive([data, { ...data, name: 'other/data.pkl' }, storage]),
      /one data\.pkl in a folder is expected; this one has 2/,
    ],
    ['no value', zipArchive([storage]), /this one has 0/],
    ['no storage', zipArchive([data]), /its storage "0" is missing/],
    [
      'big-endian numbers',
      torchArchive(sound, { 0: eight }, [{ name: 'archive/byteorder', content: Buffer.from('big') }]),
      /byte order is "big"/,
    ],
    [
      'a byte order of many bytes',
      torchArchive(sound, { 0: eight }, [{ name: 'archive/byteorder', content: Buffer.alloc(99) }]),
      /its byteorder has 99 bytes/,
    ],
  ])('%s', async (_, bytes, says) => {
    expect(await refusalOf(bytes)).toMatch(says);
  });

  it('a 64-bit directory that is elsewhere', async () => {
    const bytes = zipArchive([data, storage]);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    const at = bytes.length - 22;
    const withLocator = (place: bigint): Buffer => {
      locator.writeBigUInt64LE(place, 8);
      return Buffer.concat([bytes.subarray(0, at), locator, bytes.subarray(at)]);
    };
    expect(await refusalOf(withLocator(2n ** 63n))).toMatch(/is said to be at byte 9223372036854776000/);
    expect(await refusalOf(withLocator(0n))).toMatch(/its zip directory is not at byte 0/);
  });
});

describe('legacy containers that lie', () => {
  const legacy = pickledDictionary({ w: pickledTensor(tensor(), 'legacy') });
  const storage = { key: '0', elements: 8, content: eight };
  it.each([
    [
      'another protocol',
      legacyFile(legacy, [storage], { protocol: 1002 }),
      /its protocol is 1002; 1001 is expected/,
    ],
    [
      'big-endian numbers',
      legacyFile(legacy, [storage], { littleEndian: false }),
      /not written in little-endian/,
    ],
    ['a storage twice', legacyFile(legacy, [storage, storage]), /has '0' twice, or nothing refers to it/],
    [
      'a storage that nothing refers to',
      legacyFile(legacy, [{ ...storage, key: '1' }]),
      /has '1' twice, or nothing/,
    ],
    ['no storage', legacyFile(legacy, []), /storage "0" of tensor 'w' is missing/],
    [
      'a storage of 2⁶³ elements',
      legacyFile(legacy, [{ ...storage, elements: 2 ** 63 }]),
      /storage "0" claims 36893488147419103000 bytes/,
    ],
    [
      'a storage cut short',
      legacyFile(legacy, [{ ...storage, content: new Uint8Array(31) }]),
      /claims 32 bytes/,
    ],
    [
      'keys that are a tree that doubles 200 times',
      legacyFile(legacy, [storage], {
        keys: [
          pickle.text('x'),
          ...Array.from({ length: 200 }, () => Buffer.concat([pickle.duplicate, pickle.tuple2])),
        ],
      }),
      /its list of storages has a list or tuple/,
    ],
  ])('%s', async (_, bytes, says) => {
    expect(await refusalOf(bytes)).toMatch(says);
  });
});

it.each([
  ['zip', torchArchive(sound, { 0: eight })],
  [
    'legacy',
    legacyFile(pickledDictionary({ w: pickledTensor(tensor(), 'legacy') }), [
      { key: '0', elements: 8, content: eight },
    ]),
  ],
])('a %s file cut anywhere is refused', async (_, bytes) => {
  for (let length = 0; length < bytes.length; length += 1) {
    expect(await refusalOf(bytes.subarray(0, length)), `${length} bytes`).not.toBe('nothing');
  }
});
