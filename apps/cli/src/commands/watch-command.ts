import type { Command } from 'commander';
import type { ServerOptions } from '../remote/server-options.js';
import { clientOf, withServerOptions } from '../remote/server-options.js';
import { watchRun } from '../remote/watch-run.js';
import { printResult } from './output-options.js';
import { finishedLines } from './submit-command.js';

const examples = `
Examples:
  $ sluice watch k3v9x0q2m8aa
  $ sluice watch k3v9x0q2m8aa --server https://sluice.example.org
  $ sluice watch k3v9x0q2m8aa --json > report.json     # waits, then prints the run as JSON

Ctrl-C ends the watching, not the run, with exit code 130. The exit code is 1 where the run fails or is cancelled.`;

export function addWatchCommand(program: Command): void {
  withServerOptions(
    program
      .command('watch')
      .description('show a run of a fleet as it goes on, until it is finished')
      .argument('<run>', 'id of the run')
      .addHelpText('after', examples)
      .action(async (id: string, flags: ServerOptions) => {
        const run = await watchRun(clientOf(flags), id, flags);
        printResult(flags, run, () => finishedLines(run));
      }),
  );
}
