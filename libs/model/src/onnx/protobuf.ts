/** A protobuf message being written: the wire format's few rules that ONNX needs, nothing more. */
export class ProtobufMessage {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** int32, int64, enum: a base-128 varint. Negative numbers are not needed and not handled. */
  varint(field: number, value: number): this {
    return this.#tag(field, 0).#varint(value);
  }

  /** A float, four bytes little-endian. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#tag(field, 5).#append(bytes);
  }

  /** Bytes, not copied: they must not change before `toBytes`. */
  bytes(field: number, value: Uint8Array): this {
    return this.#tag(field, 2).#varint(value.length).#append(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, value: ProtobufMessage): this {
    this.#tag(field, 2).#varint(value.#length);
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  /** Repeated varints, packed. */
  packedVarints(field: number, values: readonly number[]): this {
    const packed = new ProtobufMessage();
    for (const value of values) packed.#varint(value);
    return this.message(field, packed);
  }

  toBytes(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }

  #tag(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType);
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    bytes.push(rest);
    return this.#append(Uint8Array.from(bytes));
  }

  #append(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}
