import type { LabelColumns, TokenColumns } from '../columns.js';
import type { ExitPolicy } from '../exit-policy.js';
import { stagePolicy } from '../exit-policy.js';
import { gatherIds, rowsWithHidden } from './stage-input.js';
import type { StageInput, StageOutcome } from './label-task.js';
import { LabelTask, TokenColumnsError } from './label-task.js';
import type { PooledRows } from './length-pool.js';
import { LengthPool } from './length-pool.js';
import type { NextBatch } from './next-batch.js';
import { nextBatch } from './next-batch.js';
import type { RowLabeller, StageBatch, StageResult, StageRunner, Telemetry } from '../ports.js';
import { readDepartures, SURVIVED } from './stage-departures.js';
import type { ModelLayout, StageLayout } from '../stage-layout.js';

/** A batch did not come back from the runner. Every task that had rows in it is rejected with this. */
export class StageFailedError extends Error {
  override readonly name = 'StageFailedError';
  constructor(
    /** 0-based. */
    readonly stage: number,
    /** Rows of the batch. */
    readonly rows: number,
    /** Tokens of each row. */
    readonly length: number,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Stage ${stage + 1} failed on ${rows} rows of ${length} tokens: ${reason}`, { cause });
  }
}

export interface StageEngineOptions {
  /**
   * The most tokens of a batch; a longer row runs alone. Default 1024, what the caches of a CPU core like. Twice as
   * many where exit 0 is a stage by itself.
   */
  readonly batchTokens?: number | undefined;
  /** The most bytes of activations between stages; at least one batch's are always allowed. Default 256 MiB. */
  readonly survivorBytes?: number | undefined;
  /** The last stage that runs here, 0-based; rows that leave no exit up to it survive. Default: the last of the model. */
  readonly lastStage?: number | undefined;
  /** Absent, rows run as soon as there is room for them. */
  readonly patience?: Patience | undefined;
  readonly telemetry?: Telemetry | undefined;
}

/** How long rows wait for others of their length, so that batches are full. */
export interface Patience {
  readonly ms: number;
  /** Whether it is worth while: others may come. Asked again every 100 ms. */
  readonly moreMayCome: () => boolean;
}

/** Batches that wait at the runner for each one that runs there, so that its workers never wait for this thread. */
const LOOK_AHEAD = 1;

/** Number of the first task that somebody waits for: all of them are below zero, and below those that come after. */
const FIRST_URGENT = -(2 ** 31);

/** Between two looks at whether rows that wait for others had better run. */
const LOOK_AGAIN_MS = 100;

/** A stage without layers does so little to a token that the way to the runner and back would count. */
const BATCHES_WITHOUT_LAYERS = 2;

/** The most tokens of a stage's batch. @param batchTokens of the engine */
export function batchTokensOf({ layers }: StageLayout, batchTokens: number): number {
  return layers === undefined ? BATCHES_WITHOUT_LAYERS * batchTokens : batchTokens;
}

/**
 * Labels rows stage by stage. The rows of all tasks wait in one pool per stage, by exact length; survivors enter
 * the next stage's pool. Which rows share a batch depends on timing, what a row's label is does not.
 */
export class StageEngine implements RowLabeller {
  readonly #runner: StageRunner;
  readonly #layout: ModelLayout;
  readonly #policies: readonly Float32Array[];
  readonly #survivorBytes: number;
  readonly #lastStage: number;
  readonly #patience: Patience | undefined;
  readonly #telemetry: Telemetry | undefined;
  readonly #pools: readonly LengthPool[];
  readonly #tasks = new Map<number, LabelTask>();
  #taskCount = 0;
  #urgentCount = 0;
  #turn: 'full' | 'oldest' = 'full';
  #running = 0;
  /** Looks again whether the rows that wait for others shall run. */
  #waking: NodeJS.Timeout | undefined;
  /** Bytes that the survivors of running batches may take. Together with the pools' never above the bound. */
  #reserved = 0;

  /** @throws PolicyError when the policy lacks an exit of the layout */
  constructor(
    runner: StageRunner,
    layout: ModelLayout,
    policy: ExitPolicy,
    options: StageEngineOptions = {},
  ) {
    const { batchTokens = 1024, survivorBytes = 256 * 2 ** 20 } = options;
    this.#runner = runner;
    this.#layout = layout;
    this.#policies = layout.stages.map(({ exits }) => stagePolicy(policy, exits));
    this.#survivorBytes = survivorBytes;
    this.#lastStage = options.lastStage ?? layout.stages.length - 1;
    this.#patience = options.patience;
    this.#telemetry = options.telemetry;
    this.#pools = layout.stages.map((stage) => new LengthPool(batchTokensOf(stage, batchTokens)));
  }

  /**
   * Labels rows by all stages; may be called again before earlier calls are done, and should be, for full batches.
   * @throws TokenColumnsError for a row without tokens, or a pair task without segments
   * @throws StageFailedError when a batch with rows of this call failed; other calls are not affected
   */
  async label(tokens: TokenColumns): Promise<LabelColumns> {
    const { labels } = await this.run({ tokens });
    return labels;
  }

  /**
   * Runs rows from where they enter to the last stage that runs here. Who calls it bounds what survives that: the
   * activations of a call's survivors are held until all of its rows are done.
   * @throws TokenColumnsError also for activations of another size
   * @throws StageFailedError as `label` does
   */
  async run(input: StageInput): Promise<StageOutcome> {
    const { tokens, entry } = input;
    if (this.#layout.task === 'pair' && entry === undefined && tokens.segments === undefined) {
      throw new TokenColumnsError('Expected segments, since the model takes pairs of texts; got none.');
    }
    const expected = tokens.ids.length * this.#layout.hiddenSize;
    if (entry !== undefined && entry.hidden.length !== expected) {
      throw new TokenColumnsError(
        `Expected activations of ${tokens.ids.length} tokens, ${expected} numbers; got ${entry.hidden.length}.`,
      );
    }
    const task = new LabelTask(input, this.#layout.labels.length);
    const rowsByLength = task.rowsByLength();
    // The lowest numbers go first: those of rows that somebody waits for are below all others.
    const number = input.urgent === true ? FIRST_URGENT + this.#urgentCount++ : this.#taskCount++;
    if (!task.complete) this.#tasks.set(number, task);
    for (const [length, rows] of rowsByLength) {
      const tasks = new Int32Array(rows.length).fill(number);
      if (entry === undefined) this.#pools[0]?.add(length, { tasks, rows });
      else
        for (const row of rowsWithHidden(entry, tokens, { tasks, rows }))
          this.#pools[entry.stage]?.add(length, row);
    }
    this.#fillRunner();
    const forget = (): void => this.#forget(number, input.signal?.reason);
    input.signal?.addEventListener('abort', forget, { once: true });
    return task.outcome.finally(() => input.signal?.removeEventListener('abort', forget));
  }

  #forget(number: number, reason: Error): void {
    this.#tasks.get(number)?.fail(reason);
    this.#tasks.delete(number);
    for (const pool of this.#pools) pool.drop(new Set([number]));
    this.#fillRunner();
  }

  #fillRunner(): void {
    clearTimeout(this.#waking);
    while (this.#running < this.#runner.concurrency * (1 + LOOK_AHEAD)) {
      const next = this.#nextBatch();
      if (next === undefined) return;
      this.#turn = this.#turn === 'full' ? 'oldest' : 'full';
      void this.#run(next);
    }
  }

  #nextBatch(): NextBatch | undefined {
    const of = (turn: Parameters<typeof nextBatch>[0]): NextBatch | undefined =>
      nextBatch(turn, this.#pools, (tokens) => this.#hasRoom(tokens));
    const patience = this.#patience;
    const wait = patience === undefined ? 0 : this.#since() + patience.ms - performance.now();
    if (patience === undefined || wait <= 0) return of(this.#turn);
    const full = of('only-full');
    if (full !== undefined) return full;
    if (!patience.moreMayCome()) return of('oldest');
    if (wait < Infinity) this.#waking = setTimeout(() => this.#fillRunner(), Math.min(wait, LOOK_AGAIN_MS));
    return undefined;
  }

  /** From when on the rows that have waited longest have; Infinity where there are none. */
  #since(): number {
    let since = Infinity;
    for (const task of this.#tasks.values()) since = Math.min(since, task.since);
    return since;
  }

  async #run({ stage, length }: NextBatch): Promise<void> {
    const pool = this.#pools[stage];
    const policy = this.#policies[stage];
    if (pool === undefined || policy === undefined)
      throw new RangeError(`The model has no stage ${stage + 1}.`);
    const rows = pool.take(length);
    const reserved = this.#bytesAfter(stage, rows.rows.length * length);
    this.#running += 1;
    this.#reserved += reserved;
    try {
      const result = await this.#runner.run({
        stage,
        rows: rows.rows.length,
        tokens: length,
        policy: policy.slice(),
        input: this.#input(rows, length),
      });
      this.#telemetry?.stageRan(stage, rows.rows.length, rows.rows.length * length, result.seconds);
      this.#settle(stage, length, rows, result);
    } catch (error) {
      this.#fail(rows, new StageFailedError(stage, rows.rows.length, length, error));
    }
    this.#running -= 1;
    this.#reserved -= reserved;
    this.#fillRunner();
  }

  #input(rows: PooledRows, length: number): StageBatch['input'] {
    if (rows.hidden !== undefined) return { kind: 'hidden', hidden: rows.hidden };
    return gatherIds(rows, length, (number) => this.#tasks.get(number)?.tokens);
  }

  #settle(stage: number, length: number, batch: PooledRows, result: StageResult): void {
    const policy = this.#policies[stage] ?? new Float32Array(0);
    const isLast = stage === this.#layout.stages.length - 1;
    const departures = readDepartures(result, batch.rows.length, policy, isLast);
    const failed = new Set<number>();
    const left = new Map<number, number>();
    for (const [index, row] of batch.rows.entries()) {
      const exit = result.exits[departures.exit[index] ?? SURVIVED];
      const number = batch.tasks[index] ?? -1;
      const task = this.#tasks.get(number);
      if (task === undefined) failed.add(number);
      if (exit === undefined || task === undefined) continue;
      task.leave(row, exit, departures.at[index] ?? 0);
      left.set(exit.layer, (left.get(exit.layer) ?? 0) + 1);
      if (task.complete) this.#tasks.delete(number);
    }
    for (const [layer, count] of left) this.#telemetry?.rowsLeft(layer, count);
    if (stage === this.#lastStage) this.#handOver(batch, result);
    else this.#poolSurvivors(stage + 1, length, batch, result, failed);
  }

  #poolSurvivors(
    stage: number,
    length: number,
    batch: PooledRows,
    { survivors: { rows, hidden } }: StageResult,
    failed: ReadonlySet<number>,
  ): void {
    const next = this.#pools[stage];
    next?.add(length, {
      tasks: rows.map((index) => batch.tasks[index] ?? -1),
      rows: rows.map((index) => batch.rows[index] ?? -1),
      hidden,
    });
    if (failed.size > 0) next?.drop(failed);
  }

  /** Gives survivors of the last stage that runs here back to who gave the rows. */
  #handOver(batch: PooledRows, { survivors: { rows, hidden } }: StageResult): void {
    const width = rows.length === 0 ? 0 : hidden.length / rows.length;
    for (const [at, index] of rows.entries()) {
      const number = batch.tasks[index] ?? -1;
      const task = this.#tasks.get(number);
      task?.survive(batch.rows[index] ?? -1, hidden.subarray(at * width, (at + 1) * width));
      if (task?.complete === true) this.#tasks.delete(number);
    }
  }

  #fail(rows: PooledRows, error: StageFailedError): void {
    const failed = new Set(rows.tasks);
    for (const number of failed) {
      this.#tasks.get(number)?.fail(error);
      this.#tasks.delete(number);
    }
    for (const pool of this.#pools) pool.drop(failed);
  }

  /** Whether the survivors of so many first-stage tokens fit; one batch always does when there are no others. */
  #hasRoom(tokens: number): boolean {
    const held = this.#pools.reduce((sum, pool) => sum + pool.bytes, this.#reserved);
    return held === 0 || held + this.#bytesAfter(0, tokens) <= this.#survivorBytes;
  }

  /** Bytes of the activations that so many tokens may leave in the pools behind a stage, if all survive. */
  #bytesAfter(stage: number, tokens: number): number {
    if (stage === this.#lastStage) return 0;
    return tokens * this.#layout.hiddenSize * (this.#layout.activation === 'float16' ? 2 : 4);
  }
}
