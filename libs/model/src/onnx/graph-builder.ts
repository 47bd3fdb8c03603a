import { ProtobufMessage } from './protobuf.js';

/** Element types of onnx.proto's TensorProto.DataType. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;
export type DataType = keyof typeof dataTypes;

/** Name of a tensor in a graph. */
export type Value = string;

export type Attribute = number | string | readonly number[] | { readonly int: number };

type Dimension = number | string;

const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Operators of this domain are ONNX Runtime's own. */
export const MICROSOFT = 'com.microsoft';

/**
 * Writes one ONNX graph node by node. Floats given as plain numbers become float attributes; whole-number attributes
 * are wrapped as `{ int }`, because JavaScript cannot tell 1 from 1.0.
 */
export class GraphBuilder {
  readonly #graph = new ProtobufMessage();
  readonly #constants = new Map<string, Value>();
  #values = 0;

  /** Adds a node with one output and returns its name. */
  node(op: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}, domain = ''): Value {
    return this.nodes(op, inputs, 1, attributes, domain)[0]!;
  }

  /** Adds a node with `count` outputs. An empty input name leaves an optional input out. */
  nodes(
    op: string,
    inputs: readonly Value[],
    count: number,
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): Value[] {
    const outputs = Array.from({ length: count }, () => this.#name(op));
    const node = new ProtobufMessage();
    for (const input of inputs) node.string(1, input);
    for (const output of outputs) node.string(2, output);
    node.string(3, outputs[0]!).string(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain !== '') node.string(7, domain);
    this.#graph.message(1, node);
    return outputs;
  }

  /** Adds a constant tensor; its bytes are not copied. */
  constant(
    data: Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array | Uint16Array,
    dims: readonly number[],
    type: DataType,
  ): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // Shapes, axes and zero points recur; a graph holds each once.
    const key =
      bytes.length <= 16 ? `${type}:${dims.join(',')}:${Buffer.from(bytes).toString('hex')}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#name('constant');
    const tensor = new ProtobufMessage();
    if (dims.length > 0) tensor.packedVarints(1, dims);
    tensor.varint(2, dataTypes[type]).string(8, name).bytes(9, bytes);
    this.#graph.message(5, tensor);
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  float(value: number): Value {
    return this.constant(Float32Array.of(value), [], 'float32');
  }

  int64(values: readonly number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length], 'int64');
  }

  int32(value: number): Value {
    return this.constant(Int32Array.of(value), [], 'int32');
  }

  input(name: string, type: DataType, dims: readonly Dimension[]): Value {
    this.#graph.message(11, valueInfo(name, type, dims));
    return name;
  }

  /** Makes a value an output of the graph under a name of its own. */
  output(name: string, value: Value, type: DataType, dims: readonly Dimension[]): void {
    const node = new ProtobufMessage().string(1, value).string(2, name).string(3, name).string(4, 'Identity');
    this.#graph.message(1, node);
    this.#graph.message(12, valueInfo(name, type, dims));
  }

  /** The whole model, ONNX IR 9, opset 17 and ONNX Runtime's operators. */
  toModel(name: string): Buffer {
    this.#graph.string(2, name);
    return new ProtobufMessage()
      .varint(1, 9)
      .string(2, 'sluice')
      .message(7, this.#graph)
      .message(8, new ProtobufMessage().string(1, '').varint(2, 17))
      .message(8, new ProtobufMessage().string(1, MICROSOFT).varint(2, 1))
      .toBytes();
  }

  #name(op: string): Value {
    this.#values += 1;
    return `${op}_${this.#values}`;
  }
}

function attribute(name: string, value: Attribute): ProtobufMessage {
  const message = new ProtobufMessage().string(1, name);
  if (typeof value === 'number') return message.float(2, value).varint(20, attributeTypes.float);
  if (typeof value === 'string') {
    return message.string(4, value).varint(20, attributeTypes.string);
  }
  if ('int' in value) return message.varint(3, value.int).varint(20, attributeTypes.int);
  return message.packedVarints(8, value).varint(20, attributeTypes.ints);
}

function valueInfo(name: string, type: DataType, dims: readonly Dimension[]): ProtobufMessage {
  const shape = new ProtobufMessage();
  for (const dim of dims) {
    shape.message(
      1,
      typeof dim === 'number' ? new ProtobufMessage().varint(1, dim) : new ProtobufMessage().string(2, dim),
    );
  }
  const tensor = new ProtobufMessage().varint(1, dataTypes[type]).message(2, shape);
  return new ProtobufMessage().string(1, name).message(2, new ProtobufMessage().message(1, tensor));
}
