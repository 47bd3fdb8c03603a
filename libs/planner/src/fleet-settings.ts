/** The settings of the services that a plan depends on, in units of their own names. */
export interface FleetSettings {
  readonly chunkRows: number;
  /** At least so many; a plan may need more. */
  readonly chunksInFlight: number;
  /** Inference threads of a worker. */
  readonly threads: number;
  /** Cores of a worker. One more than its threads lets the rest of its work run beside them. */
  readonly cores: number;
  /** Jobs of the first stage that a worker has at the same time. */
  readonly jobs: number;
  readonly batchTokens: number;
  /** How long rows behind the first stage wait for a full batch, seconds. */
  readonly waitSeconds: number;
  /** The most activations that travel as one, bytes. */
  readonly blobBytes: number;
  /** Share of Redis' memory above which no chunk is given out. */
  readonly redisUsedRatio: number;
}
