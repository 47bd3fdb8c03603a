import type { ReadOptions } from './corpus-options.js';

/** What the head of a corpus says of how it is read, where nobody said it. */
export interface Convention {
  /** In place of what was not said. `columns`: of a table without header. */
  readonly reading: Pick<
    ReadOptions,
    'header' | 'columns' | 'quotes' | 'textField' | 'pairField' | 'labelField'
  >;
  /** What was recognised, a line each, for who reads the run's notes. */
  readonly notes: readonly string[];
}

/** A file that follows none, or one of which everything was said. */
export const noConvention: Convention = { reading: {}, notes: [] };

/** How notes name a file. */
export function shownPath(path: string): string {
  return path === '-' ? 'Standard input' : path;
}
