import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandUsage } from './run-command.js';
import { runCommand } from './run-command.js';
import { bertBase, writeBertBase } from './write-model.js';

/** Exits that are kept: those that the bench has texts leave at. */
export const exitLayers = [1, 3, 6, bertBase.layers] as const;

/** The steps before a text is labelled, and where they left what. */
export interface PreparedBundles {
  /** In BitVoyage's format. */
  readonly model: string;
  readonly bundles: { readonly int8: string; readonly fp32: string };
  /** Files of thresholds by the layer that every text leaves after. */
  readonly policies: ReadonlyMap<number, string>;
  readonly steps: Readonly<Record<'import' | 'compile fp32' | 'compile int8', CommandUsage>>;
}

/** Writes the model, imports it and compiles it. @param calibration corpus of the int8 scales */
export async function prepareBundles(
  folder: string,
  calibration: string,
  say: (line: string) => void,
): Promise<PreparedBundles> {
  const at = (name: string): string => join(folder, name);
  const [model, checkpoint, int8, fp32] = [at('model'), at('checkpoint'), at('int8'), at('fp32')];
  say('… writing the model');
  await writeBertBase(model);
  say('… sluice import');
  const imported = await runCommand(['import', model, '--out', checkpoint], folder);
  const compile = ['compile', checkpoint, '--exits', exitLayers.join(',')];
  say('… sluice compile, fp32');
  const float = await runCommand([...compile, '--precision', 'fp32', '--out', fp32], folder);
  say('… sluice compile, int8');
  // Of random weights no agreement can be asked for: the result says what it is.
  const quantised = await runCommand(
    [...compile, '--calibrate', calibration, '--text-field', 'text', '--min-agreement', '0', '--out', int8],
    folder,
  );
  await rm(checkpoint, { recursive: true });
  const policies = new Map<number, string>();
  for (const leaving of exitLayers) {
    const thresholds = exitLayers.slice(0, -1).map((layer) => [layer, layer === leaving ? 1 : 0]);
    const path = at(`leave-at-${leaving}.json`);
    await writeFile(path, JSON.stringify(Object.fromEntries(thresholds)));
    policies.set(leaving, path);
  }
  return {
    model,
    bundles: { int8, fp32 },
    policies,
    steps: { import: imported, 'compile fp32': float, 'compile int8': quantised },
  };
}
