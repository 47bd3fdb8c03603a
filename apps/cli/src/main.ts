import { Command, CommanderError } from 'commander';
import { errorText, exitCodeOf } from './commands/command-errors.js';
import { version } from './version.js';

/** In the order of the help. */
const commands = new Map<string, () => Promise<(program: Command) => void>>([
  ['label', async () => (await import('./commands/label-command.js')).addLabelCommand],
  ['pull', async () => (await import('./commands/pull-command.js')).addPullCommand],
  ['import', async () => (await import('./commands/import-command.js')).addImportCommand],
  ['train', async () => (await import('./commands/train-command.js')).addTrainCommand],
  ['distil', async () => (await import('./commands/distil-command.js')).addDistilCommand],
  ['compile', async () => (await import('./commands/compile-command.js')).addCompileCommand],
  ['evaluate', async () => (await import('./commands/evaluate-command.js')).addEvaluateCommand],
  ['inspect', async () => (await import('./commands/inspect-command.js')).addInspectCommand],
  ['predict', async () => (await import('./commands/predict-command.js')).addPredictCommand],
  ['plan', async () => (await import('./commands/plan-command.js')).addPlanCommand],
  ['dev', async () => (await import('./commands/dev-command.js')).addDevCommand],
  ['submit', async () => (await import('./commands/submit-command.js')).addSubmitCommand],
  ['runs', async () => (await import('./commands/runs-command.js')).addRunsCommand],
  ['watch', async () => (await import('./commands/watch-command.js')).addWatchCommand],
  ['fetch', async () => (await import('./commands/fetch-command.js')).addFetchCommand],
  ['cancel', async () => (await import('./commands/run-action-commands.js')).addCancelCommand],
  ['resume', async () => (await import('./commands/run-action-commands.js')).addResumeCommand],
  ['delete', async () => (await import('./commands/run-action-commands.js')).addDeleteCommand],
  ['key', async () => (await import('./commands/key-command.js')).addKeyCommand],
  ['demo', async () => (await import('./commands/demo-command.js')).addDemoCommand],
]);

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
  $ sluice import fastbert/Epoch_3.bin --out my-checkpoint
  $ sluice compile my-checkpoint --calibrate texts.jsonl --out models/mine
  $ sluice label corpus.jsonl --model models/mine --out labelled.jsonl

Exit codes:
  0    done
  1    failed or stopped; a labelling run goes on when the same command is given again
  2    used wrongly, or with other options than the run began with: another command is needed
  130  Ctrl-C ended the watching of a run, which goes on`,
  );
// Only the command that is asked for: loading all of them would take longer than a small run. Help names them all.
const asked = commands.get(process.argv[2] ?? '');
for (const load of asked === undefined ? commands.values() : [asked]) {
  const add = await load();
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

// A service that runs a command holds a channel to it: without the service, it ends.
process.once('disconnect', () => process.exit(1));
// Listening alone would keep a command alive that is done.
process.channel?.unref();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (!(error instanceof CommanderError)) process.stderr.write(`sluice: ${errorText(error)}\n`);
}
