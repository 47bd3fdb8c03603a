/**
 * The steps of the delivery protocol, in order: a process may die at any of them and the run goes on; tests kill it at
 * each. Those of who feeds a run stand beside the steps of the commit protocol.
 */
export const feederSteps = ['attempt-opened', 'job-added', 'results-joined', 'results-dropped'] as const;

export const workerSteps = [
  'job-begun',
  'activations-fetched',
  'sent-back',
  'results-stored',
  'activations-stored',
  'next-added',
  'activations-dropped',
] as const;

export type FeederStep = (typeof feederSteps)[number];
export type WorkerStep = (typeof workerSteps)[number];
