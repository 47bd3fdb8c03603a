import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGraph } from '#inference/onnx-graph.js';
import { randomNumbers } from '../../../../test/random-checkpoint.js';
import type { Linear } from '../checkpoint/weights.js';
import { GraphBuilder, MICROSOFT } from '../onnx/graph-builder.js';
import { quantiseWeight, scaleOfRange } from './quantise.js';

const linears = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }))
  .chain(([inputs, outputs]) =>
    fc
      .array(
        fc.oneof(
          fc.float({ noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
          fc.float({ noNaN: true, min: -1, max: 1 }),
          fc.constantFrom(0, 1, -1),
        ),
        { minLength: inputs * outputs, maxLength: inputs * outputs },
      )
      .map((values): Linear => ({
        weight: Float32Array.from(values),
        bias: new Float32Array(outputs),
        inputs,
        outputs,
      })),
  );

/** A column of weights, quantised. */
const quantise = (...weight: number[]): Int8Array =>
  quantiseWeight({
    weight: Float32Array.from(weight),
    bias: new Float32Array(1),
    inputs: weight.length,
    outputs: 1,
  }).values;

describe('quantiseWeight', () => {
  it('never lets a pair of products saturate int16', () => {
    fc.assert(
      fc.property(linears, (linear) => {
        const { values } = quantiseWeight(linear);
        for (let column = 0; column < linear.outputs; column++) {
          for (let row = 0; row + 1 < linear.inputs; row += 2) {
            const pair =
              values[row * linear.outputs + column]! + values[(row + 1) * linear.outputs + column]!;
            expect(255 * pair).toBeLessThanOrEqual(32_767);
            expect(255 * pair).toBeGreaterThanOrEqual(-32_768);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('stays within half a step of the weights', () => {
    fc.assert(
      fc.property(linears, (linear) => {
        const { values, scales } = quantiseWeight(linear);
        linear.weight.forEach((weight, index) => {
          const scale = scales[index % linear.outputs]!;
          expect(Math.abs(values[index]! * scale - weight)).toBeLessThanOrEqual(scale * 0.500_01);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('uses the whole range where neighbours differ in sign, and half of it where they are alike', () => {
    expect([...quantise(1, -1, 0.5, 0)]).toEqual([127, -127, 64, 0]);
    expect([...quantise(1, 1)]).toEqual([64, 64]);
  });

  it('gives exact integer sums at the extremes in ONNX Runtime', async () => {
    const [inputs, outputs, rows] = [384, 96, 37];
    const random = randomNumbers(3);
    // Runs of one sign and of full size: where unguarded weights would saturate.
    const weight = Float32Array.from({ length: inputs * outputs }, (_, i) =>
      i % 3 === 0 ? 1 : (i % 7 < 5 ? 1 : -1) * random(),
    );
    const { values, scales } = quantiseWeight({ weight, bias: new Float32Array(outputs), inputs, outputs });
    const zeroPoint = 128;
    const x = Uint8Array.from({ length: rows * inputs }, (_, i) =>
      i < 20 * inputs ? (i < 10 * inputs ? 255 : 0) : Math.floor(random() * 256),
    );
    const graph = new GraphBuilder();
    const one = graph.float(1);
    const product = graph.node(
      'MatMulIntegerToFloat',
      [
        graph.input('x', 'uint8', ['n', inputs]),
        graph.constant(values, [inputs, outputs], 'int8'),
        one,
        graph.constant(new Float32Array(outputs).fill(1), [outputs], 'float32'),
        graph.constant(Uint8Array.of(zeroPoint), [], 'uint8'),
      ],
      {},
      MICROSOFT,
    );
    graph.output('y', product, 'float32', ['n', outputs]);
    const model = await openGraph(graph.toModel('test'));
    const { y } = await model.run({ x: { dims: [rows, inputs], data: x } });
    await model.release();
    // Sums stay below 2²⁴, so float32 holds them exactly.
    const expected = Float32Array.from({ length: rows * outputs }, (_, index) => {
      const [row, column] = [Math.floor(index / outputs), index % outputs];
      let sum = 0;
      for (let i = 0; i < inputs; i++)
        sum += (x[row * inputs + i]! - zeroPoint) * values[i * outputs + column]!;
      return sum;
    });
    expect(y!.data).toEqual(expected);
    expect(scales.every((scale) => scale > 0)).toBe(true);
  });
});

describe('scaleOfRange', () => {
  it('covers the range and holds zero exactly', () => {
    const number = fc.double({ min: -1e30, max: 1e30, noNaN: true });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const { scale, zeroPoint } = scaleOfRange({ min: Math.min(a, b), max: Math.max(a, b) });
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
        expect(scale).toBe(Math.fround(scale));
        expect(scale).toBeGreaterThanOrEqual(2 ** -126);
        // Half a step of the zero point's rounding, and float32's own.
        const slack = scale * 0.501;
        expect((255 - zeroPoint) * scale + slack).toBeGreaterThanOrEqual(Math.max(a, b, 0));
        expect(-zeroPoint * scale - slack).toBeLessThanOrEqual(Math.min(a, b, 0));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a range of nothing, or next to nothing', () => {
    expect(scaleOfRange({ min: 0, max: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
    expect(scaleOfRange({ min: 0, max: 2 ** -140 })).toEqual({ scale: 1, zeroPoint: 0 });
  });
});
