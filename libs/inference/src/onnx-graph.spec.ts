import { describe, expect, it } from 'vitest';
import { GraphLoadError, openGraph } from './onnx-graph.js';

// Field numbers of ONNX's protobuf schema, as far as a one-node model needs them.
const varint = (field: number, value: number) => Buffer.from([field * 8, value]);
const bytes = (field: number, value: Buffer | string) =>
  Buffer.concat([Buffer.from([field * 8 + 2, Buffer.byteLength(value)]), Buffer.from(value)]);
const join = (...parts: Buffer[]) => Buffer.concat(parts);
const FLOAT = 1;
const BOOL = 9;
const matrix = (field: number, name: string, type: number) =>
  bytes(
    field,
    join(
      bytes(1, name),
      bytes(
        2,
        bytes(1, join(varint(1, type), bytes(2, join(bytes(1, bytes(2, 'n')), bytes(1, bytes(2, 'm')))))),
      ),
    ),
  );

/** `y = x > limit` over two float matrices of any size. */
function greaterModel(): Buffer {
  const node = join(bytes(1, 'x'), bytes(1, 'limit'), bytes(2, 'y'), bytes(4, 'Greater'));
  const graph = join(
    bytes(1, node),
    bytes(2, 'g'),
    matrix(11, 'x', FLOAT),
    matrix(11, 'limit', FLOAT),
    matrix(12, 'y', BOOL),
  );
  return join(varint(1, 8), bytes(7, graph), bytes(8, varint(2, 17)));
}

describe('openGraph', () => {
  it('runs a model given as bytes', async () => {
    const graph = await openGraph(greaterModel());
    expect(graph.inputs).toEqual(['x', 'limit']);
    const { y } = await graph.run({
      x: { dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      limit: { dims: [1, 1], data: Float32Array.of(2) },
    });
    expect(y).toEqual({ dims: [2, 2], data: Uint8Array.of(0, 0, 1, 1) });
    await graph.release();
  });

  it('runs over no rows at all', async () => {
    const graph = await openGraph(greaterModel());
    const { y } = await graph.run({
      x: { dims: [0, 2], data: new Float32Array(0) },
      limit: { dims: [1, 1], data: Float32Array.of(2) },
    });
    expect(y).toEqual({ dims: [0, 2], data: new Uint8Array(0) });
    await graph.release();
  });

  it('names the file that cannot be loaded', async () => {
    await expect(openGraph('absent/stage-1.onnx')).rejects.toThrow(GraphLoadError);
    await expect(openGraph('absent/stage-1.onnx')).rejects.toThrow('absent/stage-1.onnx');
    await expect(openGraph(Buffer.from('no model'))).rejects.toThrow('model in memory');
  });
});
