/** What a fleet takes beside the model, in seconds of a core. */
export interface FleetCosts {
  /** Producer, for a row: read, plan, give to the queue. */
  readonly feedSeconds: number;
  /** Producer, for a row: collect, format, commit. */
  readonly commitSeconds: number;
  /** Producer, for a row, at the end of the run: merge the parts into the output. */
  readonly mergeSeconds: number;
  /** Worker, for a row of a job: the job, its results. */
  readonly jobSeconds: number;
  /** Worker, for a byte of activations that it sends or gets. */
  readonly activationSeconds: number;
  /** Redis, for a row of a job. */
  readonly redisRowSeconds: number;
  /** Redis, for a byte of activations in and out. */
  readonly redisByteSeconds: number;
}

/**
 * On a core of a Xeon with AMX: what `npm run bench:plan` prints, with rows of some 240 bytes; the queue's share is that of
 * docs/performance-fleet.md.
 */
export const measuredCosts: FleetCosts = {
  feedSeconds: 8e-6,
  commitSeconds: 10e-6,
  mergeSeconds: 2.5e-6,
  jobSeconds: 1.8e-6,
  activationSeconds: 7e-9,
  redisRowSeconds: 1.2e-6,
  redisByteSeconds: 3e-9,
};
