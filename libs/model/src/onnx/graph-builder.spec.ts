import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGraph } from '#inference/onnx-graph.js';
import { dataTypes, GraphBuilder, MICROSOFT } from './graph-builder.js';
import { ProtobufMessage } from './protobuf.js';

describe('GraphBuilder', () => {
  it('writes models that ONNX Runtime loads and computes as meant', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', ['n', 3]);
    const weight = graph.constant(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2], 'float32');
    const product = graph.node('MatMul', [x, weight]);
    graph.output('y', graph.node('Add', [product, graph.float(0.5)]), 'float32', ['n', 2]);
    const model = await openGraph(graph.toModel('test'));
    expect(model.inputs).toEqual(['x']);
    expect(model.outputs).toEqual(['y']);
    const { y } = await model.run({ x: { dims: [2, 3], data: Float32Array.of(1, 0, 0, 1, 1, 1) } });
    expect(y).toEqual({ dims: [2, 2], data: Float32Array.of(1.5, 2.5, 9.5, 12.5) });
    await model.release();
  });

  it('writes each kind of attribute, several outputs, absent inputs and a second domain', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', ['n', 4]);
    const [left, right] = graph.nodes('Split', [x], 2, { axis: { int: 1 } });
    const turned = graph.node('Transpose', [right!], { perm: [1, 0] });
    const product = graph.node('FusedMatMul', [left!, turned], { alpha: 2.5 }, MICROSOFT);
    // Clip's lower bound is left out.
    const clipped = graph.node('Clip', [product, '', graph.float(10)]);
    graph.output('y', graph.node('Cast', [clipped], { to: { int: dataTypes.int32 } }), 'int32', ['n', 'n']);
    const model = await openGraph(graph.toModel('test'));
    const { y } = await model.run({ x: { dims: [2, 4], data: Float32Array.of(1, 1, 1, 1, -2, 0, 3, 0) } });
    expect(y).toEqual({ dims: [2, 2], data: Int32Array.of(5, 7, -5, -15) });
    await model.release();
  });

  it('holds equal small constants once, and different ones apart', () => {
    const graph = new GraphBuilder();
    expect(graph.float(1)).toBe(graph.float(1));
    expect(graph.float(0)).not.toBe(graph.float(-0));
    expect(graph.int64([1])).not.toBe(graph.constant(BigInt64Array.of(1n), [], 'int64'));
    expect(graph.constant(Int32Array.of(1), [], 'int32')).not.toBe(
      graph.constant(Float32Array.of(1.401_298_464_324_817e-45), [], 'float32'),
    );
  });

  it('carries constants of any size and value unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.float32Array({ minLength: 1, maxLength: 300, noNaN: true }),
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 5 }),
        async (floats, integers) => {
          const graph = new GraphBuilder();
          const f = graph.constant(floats, [floats.length], 'float32');
          const i = graph.constant(BigInt64Array.from(integers), [integers.length], 'int64');
          graph.output('f', f, 'float32', [floats.length]);
          graph.output('i', i, 'int64', [integers.length]);
          const model = await openGraph(graph.toModel('test'));
          const { f: floatsRead, i: integersRead } = await model.run({});
          await model.release();
          expect(floatsRead).toEqual({ dims: [floats.length], data: floats });
          expect([...(integersRead?.data ?? [])]).toEqual(integers);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('ProtobufMessage', () => {
  it('writes the examples of the format’s documentation', () => {
    // developers.google.com/protocol-buffers: a = 150 is 08 96 01; b = "testing" is 12 07 …; c = {a: 150}.
    const a = new ProtobufMessage().varint(1, 150);
    expect(a.toBytes().toString('hex')).toBe('089601');
    expect(new ProtobufMessage().string(2, 'testing').toBytes().toString('hex')).toBe('120774657374696e67');
    expect(new ProtobufMessage().message(3, a).toBytes().toString('hex')).toBe('1a03089601');
    expect(new ProtobufMessage().packedVarints(6, [3, 270, 86_942]).toBytes().toString('hex')).toBe(
      '3206038e029ea705',
    );
  });

  it('writes lengths beyond 32 bits of varint', () => {
    expect(
      new ProtobufMessage()
        .varint(1, 2 ** 40)
        .toBytes()
        .toString('hex'),
    ).toBe('08808080808020');
  });
});
