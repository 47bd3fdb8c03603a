import { CommanderError } from 'commander';
import { shownText } from '#pipeline/shown-text.js';

/** Exit codes: done, failed, used wrongly; ended by Ctrl-C while what it showed goes on, as a shell has it. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const usageErrors = new Set([
  'UsageError',
  'PolicyError',
  'StageError',
  'CompileError',
  'BundleExistsError',
  'CheckpointExistsError',
  'OutputExistsError',
  'TokenizerUsageError',
  'RunMismatchError',
  'OtherTrainingError',
  'RepositoryNameError',
  'HubSettingError',
  'NothingIncludedError',
  'PullTargetError',
  'PilotError',
  'PilotFileError',
]);

/** Errors of the language and of Node: where one of these arrives without a code, the program itself is at fault. */
const ownFaults = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'AssertionError',
]);

/** What makes room where a file cannot be written. */
const remedies = new Map([
  ['ENOSPC', 'Free some space'],
  ['EDQUOT', 'Free some space: a quota is used up'],
  ['EFBIG', 'Allow larger files here (ulimit -f)'],
]);

/** What the user is told of an error: its message, and the stack only where it is the program's own fault. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const remedy = 'code' in error ? remedies.get(String(error.code)) : undefined;
  if (remedy !== undefined) {
    return `${error.message}. ${remedy}, then give the same command again: the run goes on where it was.`;
  }
  const expected = !ownFaults.has(error.name) || 'code' in error;
  return expected ? error.message.split('\n').map(shownText).join('\n') : (error.stack ?? error.message);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (!(error instanceof Error)) return exitCodes.failed;
  if (error.name === 'WatchingEndedError') return exitCodes.interrupted;
  return usageErrors.has(error.name) ? exitCodes.usage : exitCodes.failed;
}
