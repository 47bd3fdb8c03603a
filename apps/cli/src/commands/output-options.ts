import type { Command } from 'commander';
import type { TableLayout } from '../terminal/table.js';
import { paintFor } from '../terminal/paint.js';

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
}

export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON on standard output, and nothing else')
    .option('-q, --quiet', 'print nothing but errors');
}

/** Columns of a stream that is no terminal. */
const plainColumns = 100;

/** How tables look on standard output. */
export function tableLayout(): TableLayout {
  return { paint: paintFor(process.stdout, process.env), width: process.stdout.columns ?? plainColumns };
}

/** Prints a result in the form that was asked for. */
export function printResult(options: OutputOptions, json: unknown, lines: () => readonly string[]): void {
  if (options.json) process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  else if (!options.quiet) process.stdout.write(`${lines().join('\n')}\n`);
}

/** A remark while a command works; on standard error, so that results can be piped. */
export function noteLine(options: OutputOptions, line: string): void {
  if (!options.json && !options.quiet) process.stderr.write(`${line}\n`);
}
