import { Command, CommanderError } from 'commander';
import { addCompileCommand } from './commands/compile-command.js';
import { addDemoCommand } from './commands/demo-command.js';
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

Exit codes: 0 done, 1 failed or stopped, 2 used wrongly.`,
  );
for (const add of [
  addLabelCommand,
  addCompileCommand,
  addInspectCommand,
  addPredictCommand,
  addDemoCommand,
]) {
  add(program);
}
// Commands inherit neither setting, so that wrong usage of any ends here too.
for (const command of [program, ...program.commands]) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (!(error instanceof CommanderError)) process.stderr.write(`sluice: ${errorText(error)}\n`);
}
