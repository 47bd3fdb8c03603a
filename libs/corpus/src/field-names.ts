import type { Convention } from './convention.js';
import { noConvention, shownPath } from './convention.js';
import { CorpusOpenError } from './corpus-errors.js';
import type { FileOptions } from './corpus-options.js';

/** Names of a first and a second text, by precedence: autoliuweijie/FastBERT, GLUE, NLI, Quora, Hugging Face. */
const pairNames: readonly (readonly [string, string])[] = [
  ['text_a', 'text_b'],
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question1', 'question2'],
  ['text', 'text_pair'],
];

/** Names of a text alone, by precedence: ours, autoliuweijie/FastBERT, SST-2 and CoLA of GLUE. */
const textNames: readonly string[] = ['text', 'text_a', 'sentence'];

/** What goes with names other than `text`; beside `text` it may be anything, and is asked for. */
const LABEL = 'label';

/**
 * Recognises the texts and the label of a corpus by the names of its fields, where the options say nothing of them.
 *
 * Beside `text` nothing is recognised but a second text, so that a corpus of `text` is read as it always was.
 * @param names in the order of the corpus
 */
export function recogniseFields(options: FileOptions, names: readonly string[]): Convention {
  const { recognise, textField, labelField, path } = options;
  if (recognise === undefined) return noConvention;
  const [text, pair] = textsAmong(options, names);
  const second = recognise.task === 'single' ? secondOf(text, names) : undefined;
  const left =
    second === undefined
      ? []
      : [`${shownPath(path)}: ${second} is not read, because the model labels single texts.`];
  if (textField !== undefined || text === undefined || (text === 'text' && pair === options.pairField)) {
    return { reading: {}, notes: left };
  }
  const label = text !== 'text' && labelField === undefined && names.includes(LABEL) ? LABEL : labelField;
  const roles = [`the text is ${text}`];
  if (pair !== options.pairField) roles.push(`the second one ${pair}`);
  if (label !== labelField) roles.push(`the right label ${label}`);
  return {
    reading: { textField: text, pairField: pair, labelField: label },
    notes: [
      `${shownPath(path)}: by the names of its fields, ${listed(roles)}; say --text-field to read others.`,
      ...left,
    ],
  };
}

/** The fields of the text and of the second one; undefined where they are not known. */
function textsAmong(
  { recognise, textField, pairField }: FileOptions,
  names: readonly string[],
): readonly [string | undefined, string | undefined] {
  if (textField !== undefined) return [textField, pairField];
  if (pairField !== undefined) {
    const pair = pairNames.find(([text, second]) => second === pairField && names.includes(text));
    return [pair?.[0], pairField];
  }
  const text = textNames.find((name) => names.includes(name));
  if (recognise?.task !== 'pair') return [text, undefined];
  return pairNames.find((pair) => pair.every((name) => names.includes(name))) ?? [text, undefined];
}

function secondOf(text: string | undefined, names: readonly string[]): string | undefined {
  const second = pairNames.find(([first]) => first === text)?.[1];
  return second !== undefined && names.includes(second) ? second : undefined;
}

/** @throws CorpusOpenError when the model takes pairs, and the second text was neither said nor recognised */
export function expectSecondText(
  { recognise, path, pairField }: FileOptions,
  names: readonly string[],
): void {
  if (recognise?.task !== 'pair' || pairField !== undefined) return;
  const known = pairNames.map((pair) => pair.join(' and ')).join(', ');
  const found = names.length === 0 ? 'there are none' : `they are ${names.join(', ').slice(0, 500)}`;
  throw new CorpusOpenError(
    path,
    `the model labels pairs of texts, and its fields are not known as such (${known}); ${found}. ` +
      'Name the second text with --pair-field, and the first with --text-field.',
  );
}

function listed(roles: readonly string[]): string {
  return roles.length < 2 ? roles.join('') : `${roles.slice(0, -1).join(', ')} and ${roles.at(-1)}`;
}
