import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Manifest } from '#model/bundle/manifest.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { PolicyError, policyOfSpeed } from '#pipeline/exit-policy.js';
import { readRegularFile } from '#pipeline/regular-file.js';
import { exitLayers } from '#pipeline/stage-layout.js';
import { schemaProblem } from '#pipeline/schema-problem.js';

/** The preset that is used when nothing is asked for. */
const DEFAULT_PRESET = 'balanced';

const thresholdsSchema = z.record(z.string().regex(/^\d+$/), z.number().min(0).max(1));

interface PolicyOptions {
  readonly speed?: number | undefined;
  /** Name of a preset, or thresholds by layer. */
  readonly policy?: string | Readonly<Record<string, number>> | undefined;
}

/**
 * The policy that the options ask for: one speed, a preset of the bundle, or a JSON file of thresholds by exit layer
 * such as `{"0": 0.1, "1": 0.2, "6": 0}`.
 * @throws PolicyError
 */
export async function choosePolicy(
  manifest: Manifest,
  options: { readonly speed?: number | undefined; readonly policy?: string | undefined },
): Promise<ExitPolicy> {
  const { speed, policy = DEFAULT_PRESET } = options;
  const isFile = speed === undefined && presetOf(manifest, policy) === undefined;
  if (manifest.problem === 'regression' || !isFile) return policyOf(manifest, options);
  return completePolicy(manifest, await thresholdsOfFile(manifest, policy), policy);
}

/**
 * The same without files: one speed, a preset of the bundle, or thresholds by exit layer.
 * @throws PolicyError
 */
export function policyOf(manifest: Manifest, options: PolicyOptions): ExitPolicy {
  if (options.speed !== undefined && options.policy !== undefined)
    throw new PolicyError('Expected speed or policy; got both.');
  if (manifest.problem === 'regression') return fullDepth(manifest, options);
  const { speed, policy = DEFAULT_PRESET } = options;
  if (speed !== undefined) return policyOfSpeed(speed, layoutOf(manifest));
  if (typeof policy !== 'string') {
    return completePolicy(manifest, checkThresholds(manifest, policy, 'The policy'), 'given');
  }
  const preset = presetOf(manifest, policy);
  if (preset === undefined) {
    throw new PolicyError(`There is no preset '${policy}'. The bundle's presets: ${presetNames(manifest)}.`);
  }
  return completePolicy(manifest, preset, policy);
}

function presetOf({ presets }: Manifest, name: string): Record<string, number> | undefined {
  return Object.hasOwn(presets, name) ? presets[name]?.thresholds : undefined;
}

const presetNames = ({ presets }: Manifest): string => Object.keys(presets).join(', ');

function completePolicy(
  manifest: Manifest,
  thresholds: Readonly<Record<string, number>>,
  name: string,
): ExitPolicy {
  const exits = exitLayers(layoutOf(manifest));
  const last = exits.at(-1);
  return new Map(
    exits.map((layer) => {
      // The last exit takes every row, so nothing need be said of it.
      const threshold = thresholds[String(layer)] ?? (layer === last ? 0 : undefined);
      if (threshold === undefined) {
        throw new PolicyError(
          `The policy ${name} has no threshold for exit ${layer}; the bundle's exits are ${exits.join(', ')}.`,
        );
      }
      return [layer, threshold];
    }),
  );
}

/** A regression head has no uncertainty by which a text could leave early. @throws PolicyError where one is asked to */
function fullDepth(manifest: Manifest, { speed = 0, policy = 'full' }: PolicyOptions): ExitPolicy {
  if (speed === 0 && policy === 'full') return policyOfSpeed(0, layoutOf(manifest));
  throw new PolicyError(
    "The model's head is a regression, which has no uncertainty: every text runs at full depth. Leave out --speed and --policy.",
  );
}

async function thresholdsOfFile(manifest: Manifest, path: string): Promise<Record<string, number>> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) {
    throw new PolicyError(
      `There is no preset and no file '${path}'. The bundle's presets: ${presetNames(manifest)}.`,
    );
  }
  const text = await readRegularFile(path).catch((error: Error) => {
    throw new PolicyError(`${path} cannot be read: ${error.message}.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PolicyError(`${path} is not JSON: ${String(error)}`);
  }
  return checkThresholds(manifest, json, path);
}

/** @param name of the policy or its file, for messages */
function checkThresholds(manifest: Manifest, value: unknown, name: string): Record<string, number> {
  const parsed = thresholdsSchema.safeParse(value);
  if (!parsed.success) {
    throw new PolicyError(
      `${name} must hold thresholds from 0 to 1 by exit layer, such as {"0": 0.1, "1": 0.2}: ${schemaProblem(parsed.error)}`,
    );
  }
  const exits = exitLayers(layoutOf(manifest)).map(String);
  const unknown = Object.keys(parsed.data).find((layer) => !exits.includes(layer));
  if (unknown !== undefined) {
    throw new PolicyError(
      `${name} has a threshold for exit ${unknown}; the bundle's exits are ${exits.join(', ')}.`,
    );
  }
  return parsed.data;
}
