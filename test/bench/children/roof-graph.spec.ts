import { describe, expect, it } from 'vitest';
import { openGraph } from '#inference/onnx-graph.js';
import type { RoofKind } from './roof-graph.js';
import { cornerOf, roofGraph, roofInput, roofWork } from './roof-graph.js';

const shape = { layers: 2, hiddenSize: 32, intermediateSize: 48 };

describe('roofGraph', () => {
  it.each<RoofKind>(['fp32', 'int8', 'int8-bytes'])('computes every matmul, %s', async (kind) => {
    const { model, matmuls } = roofGraph(kind, shape);
    const tokens = 5;
    const inputs = {
      narrow: roofInput(kind, tokens * shape.hiddenSize),
      wide: roofInput(kind, tokens * shape.intermediateSize),
    };
    const graph = await openGraph(model);
    const { corners } = await graph.run({
      narrow: { dims: [tokens, shape.hiddenSize], data: inputs.narrow },
      wide: { dims: [tokens, shape.intermediateSize], data: inputs.wide },
    });
    await graph.release();
    expect(corners?.dims).toEqual([1, 4 * shape.layers]);
    const expected = matmuls.map((matmul) =>
      cornerOf(kind, matmul, inputs[matmul.input].subarray(-matmul.lastColumn.length)),
    );
    expect(new Set(expected).size).toBe(expected.length);
    for (const [index, corner] of [...corners!.data].entries()) {
      expect(Number(corner)).toBeCloseTo(expected[index]!, 3);
    }
  });

  it('counts two operations for each multiplication', () => {
    const perToken = 32 * 96 + 32 * 32 + 32 * 48 + 48 * 32;
    expect(roofWork(shape, 10)).toBe(2 * 10 * 2 * perToken);
  });
});
