import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomNumbers } from '../random-checkpoint.js';
import type { FuzzTarget } from './targets.js';

/** What a mutant may be refused with: errors that name the file and are meant for people. */
const REFUSALS = new Set(['CheckpointError', 'SafetensorsError', 'TorchFileError', 'TokenizerFileError']);
const MOST_CHARACTERS = 2000;

export type FuzzOutcome =
  { readonly kind: 'read' | 'refused' } | { readonly kind: 'wrong'; readonly problem: string };

/** Case 0, 1, … take their turns among the targets. */
export function targetOf(targets: readonly FuzzTarget[], number: number): FuzzTarget {
  return targets[number % targets.length]!;
}

/** Writes the mutant of a case and reads it. The same for the same seed and number. */
export async function fuzzCase(
  targets: readonly FuzzTarget[],
  seed: number,
  number: number,
): Promise<FuzzOutcome> {
  const target = targetOf(targets, number);
  const random = randomNumbers(seed * 1_000_003 + number);
  for (let skipped = 0; skipped < 8; skipped += 1) random();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-fuzz-'));
  try {
    const path = await target.write(folder, random);
    await target.read(path);
    return { kind: 'read' };
  } catch (error) {
    return refusal(error, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refusal(error: unknown, folder: string): FuzzOutcome {
  if (!(error instanceof Error)) return { kind: 'wrong', problem: `threw ${String(error)}` };
  const { name, message } = error;
  if (!REFUSALS.has(name)) return { kind: 'wrong', problem: error.stack ?? `${name}: ${message}` };
  if (!message.startsWith(folder)) return { kind: 'wrong', problem: `names no file: ${message}` };
  if (/\p{Cc}/u.test(message)) return { kind: 'wrong', problem: `more than a line: ${message}` };
  if (message.length > MOST_CHARACTERS + folder.length) {
    return { kind: 'wrong', problem: `${message.length} characters: ${message.slice(0, 500)}` };
  }
  return { kind: 'refused' };
}
