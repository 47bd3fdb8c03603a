import type { Settings } from '#config/settings-schema.js';
import { JsonlWriter } from '#corpus/jsonl-writer.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { answerFormOf } from '#model/bundle/manifest.js';
import type { CorpusChunk, LabelledRows } from '#pipeline/ports.js';
import type { OpenChunkLabeller } from '#run/label-corpus.js';
import { policyOf } from '#run/choose-policy.js';
import { UsageError } from '#run/usage-error.js';
import { ApiError } from './api-errors.js';
import type { FleetLink } from './fleet-link.js';
import type { ModelShelf } from './model-shelf.js';
import type { ClassifyRequest } from '#run/run-request.js';

/** What a run adds to a row: `label`, `confidence`, … with the probability of each label. */
export type Classified = Readonly<Record<string, unknown>>;

/** What a producer takes at the same time, and at once. */
type ClassifyLimits = Pick<Settings['producer']['limits'], 'classifyTexts' | 'classifyActive'>;

interface OpenPolicy extends OpenChunkLabeller {
  chunks: number;
  /** Requests that wait for it. */
  users: number;
}

/** Policies of bundles whose connections are kept open. */
const MOST_OPEN = 16;
const WITHIN_MS = 30_000;
const RETRY_AFTER_S = 5;
/** While others wait. */
const RETRY_SOON_S = 1;
/** Longer than an autoscaler takes to ask. */
const WANTED_MS = 60_000;

/** Labels a few texts at once, by the same workers as runs. */
export class Classifier {
  readonly #fleet: FleetLink;
  readonly #models: ModelShelf;
  readonly #limits: ClassifyLimits;
  /** Requests that wait for the workers. */
  #active = 0;
  /** By bundle, policy and runtime, the latest used last. */
  readonly #open = new Map<string, OpenPolicy>();
  /** When texts were last refused because no worker serves the bundle of this hash, by `performance.now()`. */
  readonly #refused = new Map<string, number>();

  constructor(fleet: FleetLink, models: ModelShelf, limits: ClassifyLimits) {
    this.#fleet = fleet;
    this.#models = models;
    this.#limits = limits;
  }

  /**
   * @param signal aborts when nobody waits for the answer any more: what no worker has begun with is not worked on then
   * @throws ApiError, PolicyError, UsageError
   */
  async classify(request: ClassifyRequest, signal: AbortSignal): Promise<readonly Classified[]> {
    const { classifyTexts, classifyActive } = this.#limits;
    if (request.texts.length > classifyTexts) {
      const message = `Expected at most ${classifyTexts} texts; got ${request.texts.length}. Submit a run instead.`;
      throw new ApiError(413, 'too-many-texts', message);
    }
    if (this.#active >= classifyActive) {
      const message = `${classifyActive} requests wait for the workers, and no more may. Try again, or submit a run.`;
      throw new ApiError(429, 'busy', message, RETRY_SOON_S);
    }
    this.#active += 1;
    try {
      return await this.#classify(request, signal);
    } finally {
      this.#active -= 1;
    }
  }

  async #classify(request: ClassifyRequest, signal: AbortSignal): Promise<readonly Classified[]> {
    const { texts, pairs } = request;
    const bundle = await this.#models.bundle(request.model);
    expectPairs(bundle, request);
    this.#fleet.pressure.expectRoom();
    const labeller = await this.#labeller(bundle, request);
    labeller.chunks += 1;
    const chunk = chunkOf(labeller.chunks, texts, pairs);
    const late = AbortSignal.timeout(WITHIN_MS);
    const rows = await labeller.labeller
      .label(chunk, AbortSignal.any([late, signal]))
      .catch((error: unknown) => {
        if (signal.aborted) throw new ApiError(499, 'gone', 'Who asked is gone.');
        if (!late.aborted) throw error;
        throw new ApiError(503, 'busy', 'The workers did not come to these texts in time.', RETRY_AFTER_S);
      })
      .finally(() => (labeller.users -= 1));
    return answersOf(bundle, chunk, rows);
  }

  /** Whether somebody lately asked for workers of the bundle of this hash, and there were none. */
  wantsWorkers(bundle: string): boolean {
    return performance.now() - (this.#refused.get(bundle) ?? Number.NEGATIVE_INFINITY) < WANTED_MS;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), (open) => open.close()));
  }

  /** @returns one that stays open until `users` is less by one */
  async #labeller(bundle: Bundle, request: ClassifyRequest): Promise<OpenPolicy> {
    const policy = Object.fromEntries(policyOf(bundle.manifest, request));
    const fingerprint = await this.#fleet.fingerprintOf(bundle).catch((error: unknown) => {
      throw new ApiError(503, 'queue-unavailable', `Redis does not answer: ${String(error)}`, RETRY_AFTER_S);
    });
    if (fingerprint === undefined) {
      this.#refused.set(bundle.hash, performance.now());
      const message = `No worker serves the model ${request.model} now. Where workers are started for what waits, try again.`;
      throw new ApiError(503, 'no-workers', message, RETRY_AFTER_S);
    }
    this.#refused.delete(bundle.hash);
    const key = JSON.stringify([bundle.hash, policy, fingerprint]);
    const open = this.#open.get(key) ?? {
      ...this.#fleet.urgentLabeller(bundle, policy, fingerprint),
      chunks: 0,
      users: 0,
    };
    open.users += 1;
    this.#open.delete(key);
    this.#open.set(key, open);
    // One that somebody waits for stays, and so does this one.
    const idle = Array.from(this.#open).find(([, { users }]) => users === 0);
    if (this.#open.size > MOST_OPEN && idle !== undefined) {
      this.#open.delete(idle[0]);
      await idle[1].close();
    }
    return open;
  }
}

function expectPairs({ manifest: { task } }: Bundle, { texts, pairs }: ClassifyRequest): void {
  if (task === 'single' && pairs !== undefined) {
    throw new UsageError('The model labels single texts, so pairs have no use.');
  }
  if (task === 'pair' && pairs?.length !== texts.length) {
    throw new UsageError(
      `The model labels pairs: expected ${texts.length} pairs, one for each text; got ${pairs?.length ?? 'none'}.`,
    );
  }
}

function chunkOf(chunk: number, texts: readonly string[], pairs: readonly string[] | undefined): CorpusChunk {
  const range = { file: 0, start: 0, end: 0, sha256: '' };
  return {
    chunk,
    firstRow: 1,
    rows: texts.length,
    range,
    texts,
    pairs,
    records: texts.map(() => '{}'),
    rejects: [],
  };
}

function answersOf({ manifest }: Bundle, chunk: CorpusChunk, rows: LabelledRows): Classified[] {
  const [first] = rows.rejected ?? [];
  if (first !== undefined) throw new ApiError(422, 'unlabelled', `Text ${first.index + 1}: ${first.message}`);
  const noFields = { kind: 'json', names: [], chosen: true } as const;
  const writer = new JsonlWriter(noFields, manifest.labels, true, answerFormOf(manifest));
  return writer
    .rows(chunk, rows.labels)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): Classified => JSON.parse(line));
}
