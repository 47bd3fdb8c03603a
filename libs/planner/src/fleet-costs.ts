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
  /** Worker, for a byte of activations that it sends or gets: its copies, the checksum, the socket. */
  readonly activationSeconds: number;
  /** Redis, for a row of a job. */
  readonly redisRowSeconds: number;
  /** Redis, for a byte of activations in and out. */
  readonly redisByteSeconds: number;
}

/**
 * On a core of a Xeon: what `npm run bench:plan` prints, with rows of some 240 bytes; the queue's share is that of
 * docs/performance-fleet.md. A byte of activations costs a worker that is at work 6 to 7 ns each way, most of the difference
 * to that of a loop is collection of garbage.
 */
export const measuredCosts: FleetCosts = {
  feedSeconds: 4.2e-6,
  commitSeconds: 5.6e-6,
  mergeSeconds: 2.2e-6,
  jobSeconds: 1.8e-6,
  activationSeconds: 6.5e-9,
  redisRowSeconds: 1.2e-6,
  redisByteSeconds: 1.9e-9,
};
