import { Command, CommanderError } from 'commander';
import { addCompileCommand } from './commands/compile-command.js';
import { addDemoCommand } from './commands/demo-command.js';
import { addEvaluateCommand } from './commands/evaluate-command.js';
import { addInspectCommand } from './commands/inspect-command.js';
import { addLabelCommand } from './commands/label-command.js';
import { addPredictCommand } from './commands/predict-command.js';
import { errorText, exitCodeOf } from './commands/command-errors.js';
import { version } from './version.js';

const program = new Command('sluice')
  .description('Bulk text classification with early-exit BERT: easy texts leave after the first layers.')
  .version(version)
  .configureHelp({ showGlobalOptions: false })
  .showHelpAfterError('(--help shows the options and examples)')
  .addHelpText(
    'after',
    `
Examples:
  $ sluice demo
  $ sluice compile my-checkpoint --calibrate texts.jsonl --out models/mine
  $ sluice label corpus.jsonl --model models/mine --out labelled.jsonl

Exit codes:
  0  done
  1  failed or stopped; a labelling run goes on when the same command is given again
  2  used wrongly, or with other options than the run began with: another command is needed`,
  );
for (const add of [
  addLabelCommand,
  addCompileCommand,
  addEvaluateCommand,
  addInspectCommand,
  addPredictCommand,
  addDemoCommand,
]) {
  add(program);
}
// Commands inherit neither setting, so that wrong usage of any ends here too.
for (const command of [program, ...program.commands]) command.exitOverride();

// A reader that has gone, as `| head` does, is no reason to end a run; neither is a full disk behind the log.
process.stderr.on('error', () => undefined);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`sluice: the result cannot be printed: ${errorText(error)}\n`);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (!(error instanceof CommanderError)) process.stderr.write(`sluice: ${errorText(error)}\n`);
}
