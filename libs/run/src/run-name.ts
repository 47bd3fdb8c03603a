import type { RunView } from './run-view.js';

/** What somebody would call a run: its files. */
export function runName({ files, fileCount, id }: Pick<RunView, 'files' | 'fileCount' | 'id'>): string {
  const [first] = files;
  if (first === undefined) return id;
  return fileCount === 1 ? first : `${first} and ${fileCount - 1} more`;
}
