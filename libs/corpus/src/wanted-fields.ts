import { CorpusOpenError } from './corpus-errors.js';
import type { FileOptions } from './corpus-options.js';
import { expectSecondText } from './field-names.js';
import type { ReadFields } from './row-columns.js';

/** Names of the fields that are read. */
export function readFields(options: FileOptions): ReadFields {
  return { text: options.textField ?? 'text', pair: options.pairField, label: options.labelField };
}

/** Whether the output carries a field. */
export function isKept({ fields }: FileOptions): (name: string) => boolean {
  if (fields === undefined) return () => true;
  const chosen = new Set(fields);
  return (name) => chosen.has(name);
}

/** @throws CorpusOpenError when a field that is asked for is not among the names, or a model of pairs has no second text */
export function checkNames(
  options: FileOptions,
  read: ReadFields,
  names: readonly string[],
  where: string,
): void {
  expectSecondText(options, names);
  const known = new Set(names);
  const wanted: [string, string | undefined][] = [
    ['text field', read.text],
    ['pair field', read.pair],
    ['label field', read.label],
    ...(options.fields ?? []).map((name): [string, string] => ['field to keep', name]),
  ];
  for (const [role, name] of wanted) {
    if (name === undefined || known.has(name)) continue;
    throw new CorpusOpenError(
      options.path,
      `there is no ${JSON.stringify(name)} ${where}, which are: ${listed(names)}. Say which is the ${role}.`,
    );
  }
}

function listed(names: readonly string[]): string {
  const list = names.slice(0, 50).join(', ');
  return names.length > 50 || list.length > 500 ? `${list.slice(0, 500)}, …` : list;
}
