/**
 * The steps of the commit protocol, in order. A process may die at any of them and the run goes on; tests kill it at
 * each. Steps up to `ok-renamed` belong to a chunk, those after it to the run.
 */
export const runSteps = [
  'run-written',
  'planned',
  'plan-synced',
  'part-written',
  'part-renamed',
  'rejects-part-written',
  'rejects-part-renamed',
  'ok-written',
  'ok-renamed',
  'plan-sealed',
  'merge-written',
  'output-renamed',
  'rejects-written',
  'rejects-renamed',
  'report-written',
  'report-renamed',
  'success-written',
  'success-renamed',
  'parts-removed',
] as const;

export type RunStep = (typeof runSteps)[number];

/** Hears each step as it is reached; `chunk` is given for the steps of a chunk. It may not return. */
export type OnStep = (step: RunStep, chunk?: number) => void;
