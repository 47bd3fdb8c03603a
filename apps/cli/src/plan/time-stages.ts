import type { Provider } from '#inference/session-options.js';
import type { Activation, TokenColumns } from '#pipeline/columns.js';
import { rowLengths, selectRows } from '#pipeline/engine/select-rows.js';
import { batchTokensOf, StageEngine } from '#pipeline/engine/stage-engine.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import type { StageBatch, StageRunner } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import type { StageTimes } from '#planner/pilot.js';

/** Lengths that a stage is timed with, those of rows at even distances among its rows, ordered by length. */
const LENGTHS = 8;
/** A stage is timed again as long as it has taken less, ms. */
const LONG_ENOUGH_MS = 1500;
const MOST_ROUNDS = 5;
/** Of a full batch: enough smaller to tell what a batch takes from what a token takes. */
const SMALL = 0.25;

/** No uncertainty is above 1. */
const ALL_LEAVE = 2;

/** Seconds so far: of this process's processor time, or where a card computes of the clock. */
export function clockOf(device: Provider): () => number {
  if (device !== 'cpu') return () => performance.now() / 1000;
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
}

interface TimedBatch {
  readonly tokens: number;
  readonly seconds: number;
}

/**
 * Times one stage in full batches and small ones of exact length, through all of its layers: all rows leave at its last exit.
 * @param tokens rows as they reach the stage; at least one
 * @returns least squares over both sizes: seconds = batch + token × tokens
 */
export async function timeStage(
  runner: StageRunner,
  layout: ModelLayout,
  stage: number,
  tokens: TokenColumns,
  { batchTokens, clock }: { readonly batchTokens: number; readonly clock: () => number },
): Promise<StageTimes['stages'][number]> {
  const lengths = rowLengths(tokens);
  const byLength = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]!);
  const count = Math.min(LENGTHS, byLength.length);
  const picked = Array.from(
    { length: count },
    (_, index) => byLength[Math.floor(((index + 0.5) * byLength.length) / count)]!,
  );
  const rows = selectRows(tokens, picked);
  const inputs = await stageInputs(runner, layout, stage, rows);
  const most = batchTokensOf(layout.stages[stage]!, batchTokens);
  const run = async (row: StageRow, share: number): Promise<TimedBatch> => {
    const copies = Math.max(1, Math.floor((share * most) / row.length));
    const batch = batchOf(layout, stage, row, copies);
    const begun = clock();
    await runner.run(batch);
    return { tokens: copies * row.length, seconds: clock() - begun };
  };
  // What the first batch of a session takes is no other's.
  await run(inputs[0]!, 1);
  const timed: TimedBatch[] = [];
  const begun = performance.now();
  for (let round = 0; round < MOST_ROUNDS && performance.now() - begun < LONG_ENOUGH_MS; round += 1) {
    for (const row of inputs) timed.push(await run(row, 1), await run(row, SMALL));
  }
  return fitted(timed);
}

interface StageRow {
  readonly length: number;
  /** Its ids and segments at the first stage, else its activation. */
  readonly ids: Int32Array;
  readonly segments: Int32Array | undefined;
  readonly hidden: Activation | undefined;
}

/** The rows at the entrance of a stage: nothing leaves before it. */
async function stageInputs(
  runner: StageRunner,
  layout: ModelLayout,
  stage: number,
  tokens: TokenColumns,
): Promise<StageRow[]> {
  let hidden: readonly Activation[] = [];
  if (stage > 0) {
    const engine = new StageEngine(runner, layout, policyOfSpeed(0, layout), { lastStage: stage - 1 });
    hidden = (await engine.run({ tokens })).survivors.hidden;
  }
  const { ids, segments, offsets } = tokens;
  return Array.from({ length: offsets.length - 1 }, (_, row) => {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    return {
      length: end - start,
      ids: ids.slice(start, end),
      segments: segments?.slice(start, end),
      hidden: hidden[row],
    };
  });
}

function batchOf(layout: ModelLayout, stage: number, row: StageRow, copies: number): StageBatch {
  const { exits } = layout.stages[stage]!;
  // Through every layer, and then away: what carrying survivors takes is counted by their bytes.
  const policy = Float32Array.from(exits, (_, index) => (index === exits.length - 1 ? ALL_LEAVE : 0));
  const common = { stage, rows: copies, tokens: row.length, policy };
  if (row.hidden !== undefined) {
    return { ...common, input: { kind: 'hidden', hidden: repeated(row.hidden, copies) } };
  }
  const segments = row.segments && repeated(row.segments, copies);
  return { ...common, input: { kind: 'ids', ids: repeated(row.ids, copies), segments } };
}

function repeated<T extends Float32Array | Uint16Array | Int32Array>(values: T, copies: number): T;
function repeated(
  values: Float32Array | Uint16Array | Int32Array,
  copies: number,
): Float32Array | Uint16Array | Int32Array {
  const size = values.length * copies;
  const all =
    values instanceof Float32Array
      ? new Float32Array(size)
      : values instanceof Uint16Array
        ? new Uint16Array(size)
        : new Int32Array(size);
  for (let copy = 0; copy < copies; copy += 1) all.set(values, copy * values.length);
  return all;
}

/** The line through the times of many batches. Where they tell no such line apart from noise, a token takes everything. */
function fitted(timed: readonly TimedBatch[]): StageTimes['stages'][number] {
  const meanTokens = timed.reduce((sum, { tokens }) => sum + tokens, 0) / timed.length;
  const meanSeconds = timed.reduce((sum, { seconds }) => sum + seconds, 0) / timed.length;
  let [across, spread] = [0, 0];
  for (const { tokens, seconds } of timed) {
    across += (tokens - meanTokens) * (seconds - meanSeconds);
    spread += (tokens - meanTokens) ** 2;
  }
  const tokenSeconds = spread > 0 ? across / spread : 0;
  const batchSeconds = meanSeconds - tokenSeconds * meanTokens;
  if (tokenSeconds > 0 && batchSeconds >= 0) return { batchSeconds, tokenSeconds };
  return { batchSeconds: 0, tokenSeconds: meanSeconds / meanTokens };
}
