import { readFile } from 'node:fs/promises';
import type { BenchConfiguration } from '../configuration.js';
import type { PeerTools } from './peer-variant.js';

export interface PeersConfiguration extends BenchConfiguration {
  /** Instruction sets of the processor; empty where the system does not say (outside Linux). */
  readonly cpuFlags: readonly string[];
  readonly peers: {
    /** Rows that a peer computes together. */
    readonly batchSize: number;
    /** Tokens of a text, special ones included. */
    readonly maxLength: number;
    /** Of Python and the packages. */
    readonly versions: Readonly<Record<string, string>>;
    /** What each peer runs with, by its name. */
    readonly notes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

/** What was measured, once the peers have said what they ran with. */
export async function peersConfiguration(
  configuration: BenchConfiguration,
  { batchSize, said }: Pick<PeerTools, 'batchSize' | 'said'>,
  maxLength: number,
): Promise<PeersConfiguration> {
  return {
    ...configuration,
    cpuFlags: await cpuFlags(),
    peers: {
      batchSize,
      maxLength,
      versions: Object.assign({}, ...[...said.values()].map(({ versions }) => versions)),
      notes: Object.fromEntries([...said].map(([name, { notes }]) => [name, notes])),
    },
  };
}

/** Lines beside those of the bench. */
export function peersConfigurationLines({ peers }: PeersConfiguration): string[] {
  const { batchSize, maxLength, versions, notes } = peers;
  return [
    `peers: batches of ${batchSize} texts, at most ${maxLength} tokens; ${words(versions)}`,
    ...Object.entries(notes).map(([name, own]) => `${name}: ${words(own)}`),
  ];
}

function words(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

async function cpuFlags(): Promise<string[]> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1];
  return flags?.trim().split(/\s+/) ?? [];
}
