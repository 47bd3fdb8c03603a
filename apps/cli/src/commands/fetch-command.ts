import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { UsageError } from '#run/usage-error.js';
import { stopOnSignals } from '../label/stop-on-signals.js';
import { fetchOutput } from '../remote/fetch-output.js';
import type { ServerOptions } from '../remote/server-options.js';
import { clientOf, withServerOptions } from '../remote/server-options.js';
import { bytesText } from '../terminal/quantity.js';
import { printResult } from './output-options.js';

const examples = `
Examples:
  $ sluice fetch k3v9x0q2m8aa --out labelled.jsonl
  $ sluice fetch k3v9x0q2m8aa                           # to <run>.jsonl, or whatever its format is

A download that was broken off goes on where it was, and is checked against the hash that the run wrote.`;

interface FetchFlags extends ServerOptions {
  readonly out?: string | undefined;
  readonly force?: true | undefined;
}

export function addFetchCommand(program: Command): void {
  withServerOptions(
    program
      .command('fetch')
      .description('download the output of a finished run of a fleet')
      .argument('<run>', 'id of the run')
      .option('-o, --out <file>', 'where to (default: <run>.<format>)')
      .option('--force', 'replace a file that is there')
      .addHelpText('after', examples)
      .action((id: string, flags: FetchFlags) => fetchRun(id, flags)),
  );
}

async function fetchRun(id: string, flags: FetchFlags): Promise<void> {
  const client = clientOf(flags);
  const { output, phase } = await client.run(id);
  if (output === undefined)
    throw new UsageError(`Run ${id} is ${phase}: it has no output yet. Look at it: sluice watch ${id}`);
  const out = flags.out ?? `${id}.${output.format}`;
  if (existsSync(out) && flags.force !== true)
    throw new UsageError(`${out} is there already: name another --out, or add --force.`);
  const stop = stopOnSignals();
  try {
    await fetchOutput(client, output, out, stop.signal);
  } finally {
    stop.release();
  }
  printResult(flags, { id, out, ...output }, () => [
    `${out}: ${bytesText(output.bytes)}, as the run wrote it.`,
  ]);
}
