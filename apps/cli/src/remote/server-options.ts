import type { Command } from 'commander';
import type { OutputOptions } from '../commands/output-options.js';
import { withOutputOptions } from '../commands/output-options.js';
import { apiKeyOf, DEFAULT_SERVER, ProducerClient } from './producer-client.js';

/** Options of every command that asks a producer. */
export interface ServerOptions extends OutputOptions {
  readonly server?: string | undefined;
}

export function withServerOptions(command: Command): Command {
  return withOutputOptions(
    command.option(
      '--server <url>',
      `the producer (default: SLUICE_SERVER, or ${DEFAULT_SERVER}); an API key is taken from SLUICE_API_KEY or SLUICE_API_KEY_FILE`,
    ),
  );
}

/** @throws UsageError */
export function clientOf({ server }: ServerOptions): ProducerClient {
  return new ProducerClient(server ?? process.env['SLUICE_SERVER'] ?? DEFAULT_SERVER, apiKeyOf(process.env));
}
