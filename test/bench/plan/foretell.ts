import type { Bundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { loadSettings } from '#config/load-settings.js';
import { measuredCosts } from '#planner/fleet-costs.js';
import { fleetPlan } from '#planner/plan-fleet.js';
import type { Simulation } from '#planner/simulate-fleet.js';
import type { StageLoad } from '#planner/stage-load.js';
import { stageLoads } from '#planner/stage-load.js';
import { fleetSettings } from '../../../apps/cli/src/plan/capacity-plan.js';
import type { MeasuredPilot } from '../../../apps/cli/src/plan/measured-pilot.js';

export interface Foretold {
  readonly loads: readonly StageLoad[];
  readonly simulation: Simulation;
}

/** How long a fleet takes on one machine, by the planner. @param cores that the fleet has */
export function foretell(
  { manifest }: Bundle,
  { pilot, times }: MeasuredPilot,
  fleet: { readonly rows: number; readonly workers: number; readonly cores: number },
): Foretold {
  const settings = fleetSettings(loadSettings({}), { threads: 1, cores: 1 });
  // Redis has no core of its own here: what it does for a worker is counted as the worker's, half where a byte goes in and
  // half where it comes out.
  const costs = {
    ...measuredCosts,
    jobSeconds: measuredCosts.jobSeconds + measuredCosts.redisRowSeconds,
    activationSeconds: measuredCosts.activationSeconds + measuredCosts.redisByteSeconds / 2,
  };
  const layout = layoutOf(manifest);
  const speeds = layout.stages.map(() => 1);
  const loads = stageLoads({ layout, maxLength: manifest.maxLength, pilot, times, costs, settings, speeds });
  const parts = {
    rows: fleet.rows,
    loads,
    costs,
    settings,
    startSeconds: 0,
    sharedCores: fleet.cores,
    seed: 1,
  };
  const replicas = layout.stages.map(() => fleet.workers);
  return { loads, simulation: fleetPlan(parts, replicas, 1).simulation };
}
