export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[] | undefined;
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every metric of the services; each is called `sluice_` and its name here. Labels have few values, whatever the corpus. */
export const metricList = {
  rows_total: {
    kind: 'counter',
    help: 'Rows of committed chunks, by outcome: labelled or rejected.',
    labels: ['model', 'outcome'],
  },
  exit_total: {
    kind: 'counter',
    help: 'Labelled rows of committed chunks, by the layer of the exit where they left.',
    labels: ['model', 'layer'],
  },
  exit_expected_total: {
    kind: 'counter',
    help: 'The same rows, by the layer where the texts that the bundle was measured on left under their policy. Rows whose policy has no such measure are not counted.',
    labels: ['model', 'layer'],
  },
  uncertainty: {
    kind: 'histogram',
    help: 'Uncertainty of labelled rows of committed chunks, by the layer of the exit where they left.',
    labels: ['model', 'layer'],
    buckets: [
      0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95,
      1,
    ],
  },
  runs: { kind: 'gauge', help: 'Runs of this producer, by state.', labels: ['state'] },
  runs_ended_total: {
    kind: 'counter',
    help: 'Runs that ended here, by outcome: finished or failed.',
    labels: ['outcome'],
  },
  chunks_in_flight: { kind: 'gauge', help: 'Chunks between reading and commit.', labels: [] },
  requests_total: {
    kind: 'counter',
    help: 'Answered requests, by route and status.',
    labels: ['route', 'status'],
  },
  request_seconds: {
    kind: 'histogram',
    help: 'Time to answer a request, seconds.',
    labels: ['route'],
    buckets: seconds,
  },
  stage_seconds: {
    kind: 'histogram',
    help: 'Time of the model for one batch, seconds.',
    labels: ['stage'],
    buckets: seconds,
  },
  stage_rows: {
    kind: 'histogram',
    help: 'Rows of one batch.',
    labels: ['stage'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  stage_batch_tokens: {
    kind: 'histogram',
    help: 'Tokens of one batch.',
    labels: ['stage'],
    buckets: [64, 128, 256, 512, 768, 1024, 1536, 2048, 4096],
  },
  rows_repeated_total: {
    kind: 'counter',
    help: 'Rows that a stage need not run, because it had run others of the same tokens.',
    labels: ['stage'],
  },
  jobs_total: {
    kind: 'counter',
    help: 'Jobs that ended here, by outcome: done, failed, or dropped because nobody waits for their results.',
    labels: ['stage', 'outcome'],
  },
  jobs_active: { kind: 'gauge', help: 'Jobs that are worked on here.', labels: [] },
  worker_stuck_seconds: {
    kind: 'gauge',
    help: 'How long the worker has had jobs of which none went on, seconds; 0 where it has none.',
    labels: [],
  },
  worker_threads: {
    kind: 'gauge',
    help: 'Threads of the model, each of which runs a batch at a time.',
    labels: [],
  },
  queue_jobs: { kind: 'gauge', help: 'Jobs in the queue, by state.', labels: ['model', 'stage', 'state'] },
  oldest_job_seconds: {
    kind: 'gauge',
    help: 'Age of the job that is next in line, or was put back for another runtime, seconds; 0 where there is none.',
    labels: ['model', 'stage'],
  },
  backlog_seconds: {
    kind: 'gauge',
    help: 'Rows that wait, times what a row takes one worker, seconds. What autoscaling reads.',
    labels: ['model', 'stage'],
  },
  workers: {
    kind: 'gauge',
    help: 'Workers that were heard of lately, by stage.',
    labels: ['model', 'stage'],
  },
  activation_bytes: {
    kind: 'gauge',
    help: 'Activations on their way to another worker, bytes, that are held here.',
    labels: [],
  },
  redis_up: {
    kind: 'gauge',
    help: 'Whether Redis answers: 1, or 0.',
    labels: ['redis'],
  },
  redis_used_ratio: {
    kind: 'gauge',
    help: 'Memory of Redis in use, as a share of its maxmemory; 0 where it has none.',
    labels: ['redis'],
  },
  retries_total: { kind: 'counter', help: 'Work that was done again, by reason.', labels: ['reason'] },
  trainings: { kind: 'gauge', help: 'Trainings, by state: waiting or running.', labels: ['state'] },
  training_loss: { kind: 'gauge', help: 'Loss of the latest step of training, by phase.', labels: ['phase'] },
  training_rate: { kind: 'gauge', help: 'Learning rate of that step.', labels: ['phase'] },
  training_share: {
    kind: 'gauge',
    help: 'Share of dev rows that an exit labels right, or as the teacher does, after the latest epoch.',
    labels: ['phase', 'layer'],
  },
  training_steps_total: { kind: 'counter', help: 'Steps of training, by phase.', labels: ['phase'] },
  training_rows_total: { kind: 'counter', help: 'Rows that were learned from, by phase.', labels: ['phase'] },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricList;

/** Names of the metrics of one kind. */
export type MetricOf<Kind extends MetricSpec['kind']> = {
  [Name in MetricName]: (typeof metricList)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof metricList)[Name]['labels'][number], string>
>;
