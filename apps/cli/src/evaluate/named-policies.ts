import type { Manifest } from '#model/bundle/manifest.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { choosePolicy } from '#run/choose-policy.js';

export interface NamedPolicy {
  /** The speed, or the name of the preset or file. */
  readonly name: string;
  readonly policy: ExitPolicy;
}

/** Speeds, then presets or files of thresholds. @throws PolicyError */
export async function namedPolicies(
  manifest: Manifest,
  speeds: readonly number[],
  names: readonly string[],
): Promise<NamedPolicy[]> {
  const layout = layoutOf(manifest);
  const policies = speeds.map((speed) => ({ name: String(speed), policy: policyOfSpeed(speed, layout) }));
  for (const name of names) {
    policies.push({ name, policy: await choosePolicy(manifest, { policy: name }) });
  }
  return policies;
}
