import { availableParallelism, cpus, hostname, loadavg } from 'node:os';
import type { Provider } from '#inference/session-options.js';
import { fingerprint } from '#inference/fingerprint.js';
import type { Pilot, StageTimes } from '#planner/pilot.js';

/** Where stage times were measured. */
export interface PilotMachine {
  readonly host: string;
  readonly processor: string;
  readonly cores: number;
  /** Of the machine over a minute, when the measuring began. */
  readonly load: number;
  readonly fingerprint: string;
  readonly device: Provider;
  /** ISO 8601. */
  readonly measuredAt: string;
}

/** What is known of the rows and of the machine: what a plan comes from, and `--save-pilot` keeps. */
export interface MeasuredPilot {
  /** Such as the corpus whose first rows were labelled. */
  readonly source: string;
  /** Hash of the bundle. */
  readonly bundle: string;
  /** Threshold by the layer of each exit. */
  readonly policy: Readonly<Record<string, number>>;
  readonly pilot: Pilot;
  readonly times: StageTimes;
  readonly machine: PilotMachine;
}

export function thisMachine(device: Provider): PilotMachine {
  return {
    host: hostname(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    load: loadavg()[0] ?? 0,
    fingerprint: fingerprint(device),
    device,
    measuredAt: new Date().toISOString(),
  };
}
