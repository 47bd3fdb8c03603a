import { processCpuSeconds } from '../process-usage.js';

export interface Times {
  readonly wallSeconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
}

/** Runs `work` and measures it. */
export async function timed<T>(work: () => Promise<T>): Promise<Times & { readonly result: T }> {
  const cpu = processCpuSeconds();
  const begun = performance.now();
  const result = await work();
  const wallSeconds = (performance.now() - begun) / 1000;
  return { result, wallSeconds, cpuSeconds: processCpuSeconds() - cpu };
}
