import { callGlobal, findGlobal } from './allowed-globals.js';
import { PickleError, PickleReader } from './pickle-reader.js';
import type { PickleValue } from './pickle-value.js';
import { Global, kindOf } from './pickle-value.js';
import type { StorageView } from './tensor-view.js';

/** Texts, lists, tuples and dictionaries that a pickle may make: some hundred for each of thousands of tensors. */
const MOST_OBJECTS = 500_000;
/** Values that may wait on the stack, and that may be remembered. */
const MOST_VALUES = 2_000_000;

/**
 * Reads one pickle (Python's docs, pickletools; protocols 0 to 5) without executing anything: of all that a pickle can
 * ask for, it makes numbers, texts, lists, tuples and dictionaries, and calls the functions of `allowed-globals.ts`, which
 * are ours.
 *
 * @param start of the pickle in `bytes`
 * @param persistentValue what stands for an id that lies outside of the pickle: a storage
 * @returns the value, and where the pickle ends
 * @throws PickleError
 */
export function readPickle(
  bytes: Buffer,
  start: number,
  persistentValue: (id: PickleValue) => StorageView,
): { value: PickleValue; end: number } {
  const machine = new PickleMachine(new PickleReader(bytes, start), persistentValue);
  return { value: machine.run(), end: machine.position };
}

class PickleMachine {
  readonly #in: PickleReader;
  readonly #persistentValue: (id: PickleValue) => StorageView;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at its marks; what lies below the last one cannot be taken. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #objects = 0;

  constructor(reader: PickleReader, persistentValue: (id: PickleValue) => StorageView) {
    this.#in = reader;
    this.#persistentValue = persistentValue;
  }

  get position(): number {
    return this.#in.position;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#in.position;
      const opcode = this.#in.uint8();
      if (opcode === STOP) return this.pop();
      const execute = opcodes[opcode];
      if (execute === undefined) {
        throw new PickleError(
          `its pickle has opcode 0x${opcode.toString(16)} at byte ${at}, which no weights need`,
        );
      }
      execute(this, this.#in);
    }
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= MOST_VALUES)
      throw new PickleError(`its pickle stacks over ${MOST_VALUES} values`);
    this.#stack.push(value);
  }

  /** Pushes what takes memory of its own. */
  make(value: PickleValue): void {
    if (++this.#objects > MOST_OBJECTS)
      throw new PickleError(`its pickle makes over ${MOST_OBJECTS} objects`);
    this.push(value);
  }

  pop(): PickleValue {
    this.#expect(1);
    return this.#stack.pop()!;
  }

  top(): PickleValue {
    this.#expect(1);
    return this.#stack.at(-1)!;
  }

  popText(): string {
    const value = this.pop();
    if (typeof value !== 'string')
      throw new PickleError(`its pickle has ${kindOf(value)} where a text belongs`);
    return value;
  }

  /** The `count` last values. */
  popTuple(count: number): PickleValue[] {
    this.#expect(count);
    return this.#stack.splice(this.#stack.length - count);
  }

  mark(): void {
    if (this.#marks.length >= MOST_VALUES) throw new PickleError(`its pickle has over ${MOST_VALUES} marks`);
    this.#marks.push(this.#stack.length);
  }

  /** The values since the last mark, which goes too. */
  popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw new PickleError('its pickle has no mark where one belongs');
    return this.#stack.splice(height);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError(`its pickle appends to ${kindOf(list)}`);
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map)) throw new PickleError(`its pickle sets an item of ${kindOf(map)}`);
    setPairs(map, values);
  }

  callGlobal(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof Global) || !Array.isArray(args)) {
      throw new PickleError(`its pickle calls ${kindOf(callee)}`);
    }
    // What a call costs is what it is given: else few bytes could ask again and again for a long list to be walked.
    this.#objects += args.length;
    for (const arg of args) if (Array.isArray(arg)) this.#objects += arg.length;
    this.make(callGlobal(callee, args));
  }

  build(): void {
    this.pop();
    const value = this.top();
    // Attributes of an OrderedDict are versions of modules, which weights do not need.
    if (!(value instanceof Map)) throw new PickleError(`its pickle sets the state of ${kindOf(value)}`);
  }

  pushPersistent(): void {
    this.make(this.#persistentValue(this.pop()));
  }

  remember(key: number): void {
    if (this.#memo.size >= MOST_VALUES)
      throw new PickleError(`its pickle remembers over ${MOST_VALUES} values`);
    this.#memo.set(key, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError(`its pickle recalls value ${key}, which it has not kept`);
    this.push(value);
  }

  #expect(count: number): void {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) {
      throw new PickleError('its pickle takes a value where there is none');
    }
  }
}

/** Opcodes by the names of Python's pickletools. */
type Execute = (machine: PickleMachine, reader: PickleReader) => void;
const STOP = 0x2e;
const opcodes: readonly (Execute | undefined)[] = opcodeTable({
  PROTO: [0x80, (_, reader) => void reader.take(1)],
  FRAME: [0x95, (_, reader) => void reader.take(8)],
  MARK: [0x28, (machine) => machine.mark()],
  POP: [0x30, (machine) => void machine.pop()],
  POP_MARK: [0x31, (machine) => void machine.popToMark()],
  DUP: [0x32, (machine) => machine.push(machine.top())],
  NONE: [0x4e, (machine) => machine.push(null)],
  NEWTRUE: [0x88, (machine) => machine.push(true)],
  NEWFALSE: [0x89, (machine) => machine.push(false)],
  INT: [0x49, (machine, reader) => machine.push(integerOf(reader.line()))],
  LONG: [0x4c, (machine, reader) => machine.push(Number.parseInt(reader.line(), 10))],
  BININT: [0x4a, (machine, reader) => machine.push(reader.int32())],
  BININT1: [0x4b, (machine, reader) => machine.push(reader.uint8())],
  BININT2: [0x4d, (machine, reader) => machine.push(reader.uint16())],
  LONG1: [0x8a, (machine, reader) => machine.push(reader.integer(reader.uint8()))],
  LONG4: [0x8b, (machine, reader) => machine.push(reader.integer(reader.uint32()))],
  FLOAT: [0x46, (machine, reader) => machine.push(Number(reader.line()))],
  BINFLOAT: [0x47, (machine, reader) => machine.push(reader.float64())],
  BINSTRING: [0x54, (machine, reader) => machine.make(reader.text(reader.uint32()))],
  SHORT_BINSTRING: [0x55, (machine, reader) => machine.make(reader.text(reader.uint8()))],
  BINUNICODE: [0x58, (machine, reader) => machine.make(reader.text(reader.uint32()))],
  SHORT_BINUNICODE: [0x8c, (machine, reader) => machine.make(reader.text(reader.uint8()))],
  BINUNICODE8: [0x8d, (machine, reader) => machine.make(reader.text(reader.uint64()))],
  BINBYTES: [0x42, (machine, reader) => machine.make(reader.text(reader.uint32()))],
  SHORT_BINBYTES: [0x43, (machine, reader) => machine.make(reader.text(reader.uint8()))],
  BINBYTES8: [0x8e, (machine, reader) => machine.make(reader.text(reader.uint64()))],
  EMPTY_LIST: [0x5d, (machine) => machine.make([])],
  LIST: [0x6c, (machine) => machine.make(machine.popToMark())],
  APPEND: [0x61, (machine) => machine.append([machine.pop()])],
  APPENDS: [0x65, (machine) => machine.append(machine.popToMark())],
  EMPTY_TUPLE: [0x29, (machine) => machine.make([])],
  TUPLE1: [0x85, (machine) => machine.make(machine.popTuple(1))],
  TUPLE2: [0x86, (machine) => machine.make(machine.popTuple(2))],
  TUPLE3: [0x87, (machine) => machine.make(machine.popTuple(3))],
  TUPLE: [0x74, (machine) => machine.make(machine.popToMark())],
  EMPTY_DICT: [0x7d, (machine) => machine.make(new Map())],
  DICT: [0x64, (machine) => machine.make(setPairs(new Map(), machine.popToMark()))],
  SETITEM: [0x73, (machine) => machine.setItems(machine.popTuple(2))],
  SETITEMS: [0x75, (machine) => machine.setItems(machine.popToMark())],
  GLOBAL: [0x63, (machine, reader) => machine.make(findGlobal(reader.line(), reader.line()))],
  STACK_GLOBAL: [
    0x93,
    (machine) => {
      const name = machine.popText();
      machine.make(findGlobal(machine.popText(), name));
    },
  ],
  // Makes an instance of the class that it names: refused by that name, as any other.
  INST: [0x69, (machine, reader) => machine.make(findGlobal(reader.line(), reader.line()))],
  REDUCE: [0x52, (machine) => machine.callGlobal()],
  BUILD: [0x62, (machine) => machine.build()],
  BINPERSID: [0x51, (machine) => machine.pushPersistent()],
  BINGET: [0x68, (machine, reader) => machine.recall(reader.uint8())],
  LONG_BINGET: [0x6a, (machine, reader) => machine.recall(reader.uint32())],
  BINPUT: [0x71, (machine, reader) => machine.remember(reader.uint8())],
  LONG_BINPUT: [0x72, (machine, reader) => machine.remember(reader.uint32())],
  MEMOIZE: [0x94, (machine) => machine.rememberNext()],
});

function opcodeTable(named: Readonly<Record<string, [number, Execute]>>): (Execute | undefined)[] {
  const table = Array.from<Execute | undefined>({ length: 256 });
  for (const [opcode, execute] of Object.values(named)) table[opcode] = execute;
  return table;
}

/** Of protocol 0, where true is 01 and false 00. */
function integerOf(line: string): number | boolean {
  if (line === '01') return true;
  if (line === '00') return false;
  return Number.parseInt(line, 10);
}

function setPairs(
  map: Map<PickleValue, PickleValue>,
  values: readonly PickleValue[],
): Map<PickleValue, PickleValue> {
  if (values.length % 2 !== 0) throw new PickleError('its pickle has a key without a value');
  for (let i = 0; i < values.length; i += 2) map.set(values[i]!, values[i + 1]!);
  return map;
}
