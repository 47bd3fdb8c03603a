import type { StageRunner, Tokenizer } from '#pipeline/ports.js';
import type { Bundle } from './bundle.js';

/** A worker's answers on the golden texts are not those of the bundle's compiler. */
export class GoldenMismatchError extends Error {
  override readonly name = 'GoldenMismatchError';
  constructor(
    readonly directory: string,
    readonly text: string,
    problem: string,
  ) {
    super(
      `${directory}: this machine does not reproduce the bundle's golden text ${JSON.stringify(text)}: ${problem}. ` +
        'The runtime or the bundle is broken; labels would be wrong. Compile the bundle again on this machine, or use --precision fp32.',
    );
  }
}

/** How far probabilities may move where another processor's kernels round differently. */
const tolerances = { fp32: 1e-3, int8: 0.05, fp16: 0.02 } as const;

/**
 * Lets a runner prove itself: labels the golden texts alone and twice in one batch, which must give the same bits, and
 * compares with what the compiler got: the same bits on the same fingerprint, nearly the same numbers on another.
 * @returns whether the bits were the compiler's
 * @throws GoldenMismatchError
 */
export async function checkGolden(
  bundle: Bundle,
  runner: StageRunner,
  tokenizer: Tokenizer,
  fingerprint: string,
): Promise<{ readonly exact: boolean }> {
  const { directory, golden, manifest } = bundle;
  const texts = golden.texts.map(({ text }) => text);
  const pairs = manifest.task === 'pair' ? golden.texts.map(({ pair }) => pair ?? '') : undefined;
  const tokens = await tokenizer.tokenize(texts, pairs);
  const sameRuntime = golden.fingerprint === fingerprint;
  let exact = true;
  for (const [row, expected] of golden.texts.entries()) {
    const [start, end] = [tokens.offsets[row]!, tokens.offsets[row + 1]!];
    const ids = tokens.ids.slice(start, end);
    if (ids.join() !== expected.ids.join()) {
      throw new GoldenMismatchError(
        directory,
        expected.text,
        `its token ids are ${ids.join(' ')}, expected ${expected.ids.join(' ')}`,
      );
    }
    const segments = tokens.segments?.slice(start, end);
    const alone = await allExits(bundle, runner, ids, segments, 1);
    const twice = await allExits(bundle, runner, ids, segments, 2);
    for (const { layer, probabilities, uncertainty } of expected.exits) {
      const found = alone.get(layer)!;
      const wanted = Float32Array.of(...probabilities, uncertainty);
      const beside = twice.get(layer)!;
      if (![0, found.length].every((at) => equalBits(beside.subarray(at, at + found.length), found))) {
        throw new GoldenMismatchError(
          directory,
          expected.text,
          `exit ${layer} gives other bits in a batch of two, ${beside.join(' ')}, than alone, ${found.join(' ')}`,
        );
      }
      if (equalBits(found, wanted)) continue;
      exact = false;
      const tolerance = sameRuntime ? 0 : tolerances[manifest.precision];
      if (!found.every((value, i) => Math.abs(value - wanted[i]!) <= tolerance)) {
        throw new GoldenMismatchError(
          directory,
          expected.text,
          `exit ${layer} gives ${found.join(' ')}, expected ${wanted.join(' ')} within ${tolerance}`,
        );
      }
    }
  }
  return { exact };
}

/**
 * Runs one text through every exit, no exit letting it go.
 * @param copies rows of the batch, all the same text
 * @returns by layer each row's probabilities and, behind them, its uncertainty: `[copies × (classes + 1)]`
 */
async function allExits(
  { manifest }: Bundle,
  runner: StageRunner,
  ids: Int32Array,
  segments: Int32Array | undefined,
  copies: number,
): Promise<Map<number, Float32Array>> {
  const repeat = (column: Int32Array): Int32Array =>
    Int32Array.from({ length: column.length * copies }, (_, i) => column[i % column.length]!);
  const classes = manifest.labels.length;
  const found = new Map<number, Float32Array>();
  let input: Parameters<StageRunner['run']>[0]['input'] = {
    kind: 'ids',
    ids: repeat(ids),
    segments: segments === undefined ? undefined : repeat(segments),
  };
  for (const [stage, { exits }] of manifest.stages.entries()) {
    const result = await runner.run({
      stage,
      rows: copies,
      tokens: ids.length,
      policy: new Float32Array(exits.length).fill(-1),
      input,
    });
    for (const exit of result.exits) {
      const values = new Float32Array(copies * (classes + 1));
      for (let row = 0; row < copies; row++) {
        values.set(exit.probabilities.subarray(row * classes, (row + 1) * classes), row * (classes + 1));
        values[row * (classes + 1) + classes] = exit.uncertainty[row]!;
      }
      found.set(exit.layer, values);
    }
    input = { kind: 'hidden', hidden: result.survivors.hidden };
  }
  return found;
}

function equalBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
