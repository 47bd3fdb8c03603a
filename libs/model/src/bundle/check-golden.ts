import type { TokenColumns } from '#pipeline/columns.js';
import type { StageBatch, StageRunner, Tokenizer } from '#pipeline/ports.js';
import type { Bundle } from './bundle.js';
import type { Golden } from './golden.js';

/** A worker's answers on the golden texts are not those of the bundle's compiler. */
export class GoldenMismatchError extends Error {
  override readonly name = 'GoldenMismatchError';
  constructor(
    readonly directory: string,
    readonly text: string,
    /** Layer of the exit that differs; undefined where the token ids do. */
    readonly exit: number | undefined,
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
 * Lets a runner prove itself: labels each golden text alone and beside another text, which must give the same bits, and
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
  const { golden, manifest } = bundle;
  const texts = golden.texts.map(({ text }) => text);
  const pairs = manifest.task === 'pair' ? golden.texts.map(({ pair }) => pair ?? '') : undefined;
  const tokens = await tokenizer.tokenize(texts, pairs);
  const tolerance = golden.fingerprint === fingerprint ? 0 : tolerances[manifest.precision];
  const exact = await Promise.all(
    golden.texts.map((text, row) => checkText(bundle, runner, text, tokens, row, tolerance)),
  );
  return { exact: exact.every(Boolean) };
}

/**
 * @param row of the text in the token columns
 * @returns whether the bits were the compiler's
 */
async function checkText(
  bundle: Bundle,
  runner: StageRunner,
  { text, ids: expectedIds, exits }: Golden['texts'][number],
  tokens: TokenColumns,
  row: number,
  tolerance: number,
): Promise<boolean> {
  const { directory } = bundle;
  const [start, end] = [tokens.offsets[row]!, tokens.offsets[row + 1]!];
  const ids = tokens.ids.slice(start, end);
  if (ids.join() !== expectedIds.join()) {
    const problem = `its token ids are ${ids.join(' ')}, expected ${expectedIds.join(' ')}`;
    throw new GoldenMismatchError(directory, text, undefined, problem);
  }
  const segments = tokens.segments?.slice(start, end);
  // A neighbour of the same length: tokens of the other texts.
  const neighbour = ids.map((_, at) => tokens.ids[(end + at) % tokens.ids.length]!);
  const [alone, beside] = await Promise.all([
    allExits(bundle, runner, [ids], segments),
    allExits(bundle, runner, [neighbour, ids], segments),
  ]);
  let exact = true;
  for (const { layer, probabilities, uncertainty } of exits) {
    const [found] = alone.get(layer)!;
    const [, foundBeside] = beside.get(layer)!;
    const wanted = Float32Array.of(...probabilities, uncertainty);
    if (!equalBits(foundBeside!, found!)) {
      const problem = `exit ${layer} gives ${foundBeside!.join(' ')} beside another text, ${found!.join(' ')} alone`;
      throw new GoldenMismatchError(directory, text, layer, problem);
    }
    if (equalBits(found!, wanted)) continue;
    exact = false;
    if (!found!.every((value, i) => Math.abs(value - wanted[i]!) <= tolerance)) {
      const problem = `exit ${layer} gives ${found!.join(' ')}, expected ${wanted.join(' ')} within ${tolerance}`;
      throw new GoldenMismatchError(directory, text, layer, problem);
    }
  }
  return exact;
}

/**
 * Runs rows of one length through every exit, no exit letting them go.
 * @param segments of each row
 * @returns by layer, for each row: its probabilities and, behind them, its uncertainty, `[classes + 1]`
 */
async function allExits(
  { manifest }: Bundle,
  runner: StageRunner,
  rows: readonly Int32Array[],
  segments: Int32Array | undefined,
): Promise<Map<number, Float32Array[]>> {
  const classes = manifest.labels.length;
  const tokens = rows[0]!.length;
  const found = new Map<number, Float32Array[]>();
  let input: StageBatch['input'] = {
    kind: 'ids',
    ids: Int32Array.from(rows.flatMap((ids) => [...ids])),
    segments: segments && Int32Array.from(rows.flatMap(() => [...segments])),
  };
  for (const [stage, { exits }] of manifest.stages.entries()) {
    const policy = new Float32Array(exits.length).fill(-1);
    const result = await runner.run({ stage, rows: rows.length, tokens, policy, input });
    for (const { layer, probabilities, uncertainty } of result.exits) {
      const ofRows = rows.map((_, row) =>
        Float32Array.of(...probabilities.subarray(row * classes, (row + 1) * classes), uncertainty[row]!),
      );
      found.set(layer, ofRows);
    }
    input = { kind: 'hidden', hidden: result.survivors.hidden };
  }
  return found;
}

function equalBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
