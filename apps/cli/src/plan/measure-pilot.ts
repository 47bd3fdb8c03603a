import type { CorpusOptions } from '#corpus/corpus-options.js';
import { openCorpus } from '#corpus/open-corpus.js';
import type { Provider } from '#inference/session-options.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { LabelColumns, TokenColumns } from '#pipeline/columns.js';
import { rowLengths, selectRows } from '#pipeline/engine/select-rows.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import type { Telemetry } from '#pipeline/ports.js';
import { sum } from '#pipeline/report/counts.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { exitLayers } from '#pipeline/stage-layout.js';
import { assumedLengths } from '#planner/batch-fill.js';
import type { LengthCount, Pilot, StageTimes } from '#planner/pilot.js';
import { stageDepths } from '#planner/stage-depths.js';
import type { OpenLabeller } from '#run/open-labeller.js';
import { openLabeller } from '#run/open-labeller.js';
import { UsageError } from '#run/usage-error.js';
import type { MeasuredPilot } from './measured-pilot.js';
import { thisMachine } from './measured-pilot.js';
import { clockOf, timeStage } from './time-stages.js';

export interface PilotOptions {
  readonly policy: ExitPolicy;
  readonly batchTokens: number;
  readonly device: Provider;
  readonly onNote: (note: string) => void;
}

/** Texts, as columns. */
interface Sample {
  readonly texts: readonly string[];
  readonly pairs: readonly string[] | undefined;
}

/** Rows that are tokenised before tokenising is timed. */
const WARM_ROWS = 128;

/**
 * Labels the first rows of a corpus on one thread of this machine, and times every stage in full batches.
 * @param corpus with its limit
 * @throws UsageError for a corpus without rows that can be labelled; what openCorpus and openLabeller throw
 */
export async function pilotOfCorpus(
  bundle: Bundle,
  corpus: CorpusOptions,
  options: PilotOptions,
): Promise<MeasuredPilot> {
  const sample = await readSample(corpus, options.onNote);
  if (sample.texts.length === 0) {
    throw new UsageError(
      `${corpus.paths.join(', ')} has no row that can be labelled, so it says nothing of others.`,
    );
  }
  return atWork(bundle, options, async (labeller) => {
    const { tokens, secondsPerToken } = await tokenise(labeller, sample, clockOf(options.device));
    options.onNote(`… a pilot: ${sample.texts.length} rows by one thread, then each stage in full batches`);
    const layout = layoutOf(bundle.manifest);
    const { labels, work } = await labelTimed(labeller, layout, options, tokens);
    const pilot = pilotOf(layout, sample, tokens, labels);
    const times = await timesOf(labeller, bundle, options, { tokens, labels, work, pilot, secondsPerToken });
    return { source: `the first rows of ${corpus.paths.join(', ')}`, pilot, times };
  });
}

/**
 * The same where it is known how many rows leave at each exit, but not their texts: the bundle's golden texts, cut and
 * repeated to the right lengths, stand for them.
 */
export async function pilotOfCounts(
  bundle: Bundle,
  known: { readonly source: string; readonly pilot: Pilot },
  options: PilotOptions,
): Promise<MeasuredPilot> {
  return atWork(bundle, options, async (labeller) => {
    const { golden, manifest } = bundle;
    const repeats = Math.ceil((2 * WARM_ROWS) / golden.texts.length);
    const texts = Array.from({ length: repeats }, () => golden.texts.map(({ text }) => text)).flat();
    const pairs = Array.from({ length: repeats }, () => golden.texts.map(({ pair = '' }) => pair)).flat();
    const sample = { texts, pairs: manifest.task === 'pair' ? pairs : undefined };
    const { tokens: found, secondsPerToken } = await tokenise(labeller, sample, clockOf(options.device));
    const tokens = withLengths(found, known.pilot.tokensPerRow, manifest.maxLength);
    options.onNote('… each stage in full batches, by one thread');
    const layout = layoutOf(manifest);
    const { labels, work } = await labelTimed(labeller, layout, options, tokens);
    const pilot = pilotOf(layout, sample, tokens, labels);
    const times = await timesOf(labeller, bundle, options, { tokens, labels, work, pilot, secondsPerToken });
    return { ...known, times };
  });
}

async function atWork(
  bundle: Bundle,
  { policy, batchTokens, device }: PilotOptions,
  measure: (labeller: OpenLabeller) => Promise<Pick<MeasuredPilot, 'source' | 'pilot' | 'times'>>,
): Promise<MeasuredPilot> {
  const machine = thisMachine(device);
  const labeller = await openLabeller(bundle, {
    workers: 1,
    tokenizerThreads: 1,
    batchTokens,
    survivorMemory: 256,
    provider: device,
  });
  try {
    const measured = await measure(labeller);
    return { bundle: bundle.hash, policy: Object.fromEntries(policy), machine, ...measured };
  } finally {
    await labeller.close();
  }
}

async function readSample(options: CorpusOptions, onNote: (note: string) => void): Promise<Sample> {
  const corpus = await openCorpus(options);
  try {
    for (const note of corpus.convention.notes) onNote(note);
    const texts: string[] = [];
    const pairs: string[] = [];
    for await (const chunk of corpus.chunks()) {
      texts.push(...chunk.texts);
      pairs.push(...(chunk.pairs ?? []));
    }
    return { texts, pairs: pairs.length > 0 ? pairs : undefined };
  } finally {
    await corpus.close();
  }
}

/** What a token takes once the thread is warm. */
async function tokenise(
  { tokenizer }: OpenLabeller,
  { texts, pairs }: Sample,
  clock: () => number,
): Promise<{ readonly tokens: TokenColumns; readonly secondsPerToken: number }> {
  await tokenizer.tokenize(texts.slice(0, WARM_ROWS), pairs?.slice(0, WARM_ROWS));
  const begun = clock();
  const tokens = await tokenizer.tokenize(texts, pairs);
  return { tokens, secondsPerToken: (clock() - begun) / tokens.ids.length };
}

/** What the engine did: batches and tokens of each stage, and the time of all of it. */
interface EngineWork {
  readonly seconds: number;
  readonly stages: readonly { batches: number; rows: number; tokens: number }[];
}

async function labelTimed(
  labeller: OpenLabeller,
  layout: ModelLayout,
  { policy, device }: PilotOptions,
  tokens: TokenColumns,
): Promise<{ readonly labels: LabelColumns; readonly work: EngineWork }> {
  // Once for nothing: code that is still being compiled would count as work on the rows.
  await labeller.withPolicy(policy).label(tokens);
  const stages = layout.stages.map(() => ({ batches: 0, rows: 0, tokens: 0 }));
  const telemetry: Telemetry = {
    stageRan(stage, rows, batch) {
      const work = stages[stage]!;
      work.batches += 1;
      work.rows += rows;
      work.tokens += batch;
    },
    rowsLeft: () => undefined,
  };
  const clock = clockOf(device);
  const begun = clock();
  const labels = await labeller.withPolicy(policy, { telemetry }).label(tokens);
  return { labels, work: { seconds: clock() - begun, stages } };
}

function pilotOf(
  layout: ModelLayout,
  { texts, pairs = [] }: Sample,
  tokens: TokenColumns,
  labels: LabelColumns,
): Pilot {
  const bytes = sum([...texts, ...pairs].map((text) => Buffer.byteLength(text)));
  return {
    rows: labels.rows,
    tokensPerRow: tokens.ids.length / labels.rows,
    textBytesPerRow: bytes / texts.length,
    exits: exitLayers(layout).map((layer) => ({
      layer,
      rows: labels.exitLayer.reduce((rows, left) => rows + (left === layer ? 1 : 0), 0),
    })),
    lengths: layout.stages.map((_, stage) => lengthCounts(selectRows(tokens, rowsAt(layout, stage, labels)))),
  };
}

/** Rows that left at no exit before a stage. */
function rowsAt(layout: ModelLayout, stage: number, { exitLayer }: LabelColumns): number[] {
  const before = new Set(layout.stages.slice(0, stage).flatMap(({ exits }) => [...exits]));
  return [...exitLayer.keys()].filter((row) => !before.has(exitLayer[row]!));
}

function lengthCounts(tokens: TokenColumns): LengthCount[] {
  const counts = new Map<number, number>();
  for (const length of rowLengths(tokens)) counts.set(length, (counts.get(length) ?? 0) + 1);
  return Array.from(counts, ([length, rows]) => ({ length, rows })).sort((a, b) => a.length - b.length);
}

async function timesOf(
  { runner }: OpenLabeller,
  { manifest }: Bundle,
  { batchTokens, device }: PilotOptions,
  found: {
    readonly tokens: TokenColumns;
    readonly labels: LabelColumns;
    readonly work: EngineWork;
    readonly pilot: Pilot;
    readonly secondsPerToken: number;
  },
): Promise<StageTimes> {
  const layout = layoutOf(manifest);
  const clock = clockOf(device);
  const stages: StageTimes['stages'][number][] = [];
  for (const stage of layout.stages.keys()) {
    const reached = rowsAt(layout, stage, found.labels);
    // Where no row of the sample gets so far, those that left before are timed.
    const rows = reached.length > 0 ? selectRows(found.tokens, reached) : found.tokens;
    stages.push(await timeStage(runner, layout, stage, rows, { batchTokens, clock }));
  }
  const depths = stageDepths(layout, found.pilot);
  const { work } = found;
  const inModel = sum(
    work.stages.map(
      ({ batches, tokens }, stage) =>
        batches * stages[stage]!.batchSeconds + tokens * depths[stage]!.depth * stages[stage]!.tokenSeconds,
    ),
  );
  const visits = sum(work.stages.map(({ rows }) => rows));
  return {
    tokenizeSecondsPerToken: found.secondsPerToken,
    stages,
    // What the engine took beyond its stages, which noise may make less than nothing.
    handlingSeconds: Math.max(0, work.seconds - inModel) / visits,
  };
}

/** Rows of the assumed lengths, of the ids that there are, again and again. */
function withLengths(from: TokenColumns, mean: number, maxLength: number): TokenColumns {
  const lengths = assumedLengths(mean, maxLength).map(({ length }) => length);
  const rows = Array.from({ length: 2 * WARM_ROWS }, (_, row) => lengths[row % lengths.length]!);
  const offsets = new Int32Array(rows.length + 1);
  for (const [row, length] of rows.entries()) offsets[row + 1] = offsets[row]! + length;
  const taken = (column: Int32Array): Int32Array =>
    Int32Array.from({ length: offsets.at(-1)! }, (_, at) => column[at % column.length]!);
  return {
    ids: taken(from.ids),
    segments: from.segments && taken(from.segments),
    offsets,
    truncated: new Uint8Array(rows.length),
  };
}
