import type { Command } from 'commander';
import type { ServerOptions } from '../remote/server-options.js';
import { clientOf, withServerOptions } from '../remote/server-options.js';
import { printResult } from './output-options.js';

function addRunCommand(
  program: Command,
  name: string,
  description: string,
  examples: string,
  act: (id: string, flags: ServerOptions) => Promise<void>,
): void {
  withServerOptions(
    program
      .command(name)
      .description(description)
      .argument('<run>', 'id of the run')
      .addHelpText('after', `\nExamples:\n  $ ${examples}`)
      .action(act),
  );
}

export function addCancelCommand(program: Command): void {
  addRunCommand(
    program,
    'cancel',
    'stop a run of a fleet; what is done is kept',
    'sluice cancel k3v9x0q2m8aa',
    async (id, flags) => {
      const run = await clientOf(flags).act(id, 'cancel');
      printResult(flags, run, () => [`Run ${id} is cancelled. Go on with it: sluice resume ${id}`]);
    },
  );
}

export function addResumeCommand(program: Command): void {
  addRunCommand(
    program,
    'resume',
    'go on with a run of a fleet that failed or was cancelled, where it was',
    'sluice resume k3v9x0q2m8aa && sluice watch k3v9x0q2m8aa',
    async (id, flags) => {
      const run = await clientOf(flags).act(id, 'resume');
      printResult(flags, run, () => [`Run ${id} goes on. Look at it: sluice watch ${id}`]);
    },
  );
}

export function addDeleteCommand(program: Command): void {
  addRunCommand(
    program,
    'delete',
    'delete a run of a fleet that is over, with its corpus and its output',
    'sluice delete k3v9x0q2m8aa',
    async (id, flags) => {
      await clientOf(flags).delete(id);
      printResult(flags, { id, deleted: true }, () => [`Run ${id} is deleted.`]);
    },
  );
}
