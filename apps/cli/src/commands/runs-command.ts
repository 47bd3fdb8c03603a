import type { Command } from 'commander';
import { runName } from '#run/run-name.js';
import type { RunView } from '#run/run-view.js';
import type { ServerOptions } from '../remote/server-options.js';
import { clientOf, withServerOptions } from '../remote/server-options.js';
import { countText, durationText, shareText } from '../terminal/quantity.js';
import type { TableLayout } from '../terminal/table.js';
import { tableLines } from '../terminal/table.js';
import { printResult, tableLayout } from './output-options.js';

const examples = `
Examples:
  $ sluice runs
  $ sluice runs --json | jq '.[] | select(.phase == "failed")'`;

export function addRunsCommand(program: Command): void {
  withServerOptions(
    program
      .command('runs')
      .description('list the runs of a producer, the latest first')
      .addHelpText('after', examples)
      .action(async (flags: ServerOptions) => {
        const runs = await clientOf(flags).runs();
        printResult(flags, runs, () => runsLines(runs, tableLayout()));
      }),
  );
}

/** A table of runs. */
export function runsLines(runs: readonly RunView[], layout: TableLayout): string[] {
  if (runs.length === 0) return ['There are no runs. Submit one: sluice submit <corpus> --model <name>'];
  return tableLines(
    [
      { title: 'run' },
      { title: 'phase' },
      { title: 'model' },
      { title: 'rows', align: 'right' },
      { title: 'done', align: 'right' },
      { title: 'left', align: 'right' },
      { title: 'submitted' },
      { title: 'corpus', shrinks: true },
    ],
    runs.map((run) => [
      run.id,
      run.phase,
      run.request.model,
      run.progress === undefined ? '' : countText(run.progress.rows),
      run.progress?.fraction === undefined ? '' : shareText(run.progress.fraction),
      run.etaSeconds === undefined ? '' : durationText(run.etaSeconds * 1000),
      run.createdAt.replace('T', ' ').replace(/\..*$/, ''),
      runName(run),
    ]),
    layout,
  );
}
