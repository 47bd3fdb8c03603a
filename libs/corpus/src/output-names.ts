import type { AnswerForm } from '#pipeline/answer-form.js';

/** The fields that labelling adds to a row, in the order of `answerValues`. */
export function addedNames(labels: readonly string[], probabilities: boolean, form: AnswerForm): string[] {
  const perLabel = probabilities ? labels.map((label) => `probability_${label}`) : [];
  switch (form.problem) {
    case 'single-label':
      return ['label', 'confidence', 'exit_layer', 'uncertainty', ...perLabel];
    case 'multi-label':
      return ['labels', 'exit_layer', 'uncertainty', ...perLabel];
    case 'regression':
      return [...(labels.length === 1 ? ['score'] : labels.map((label) => `score_${label}`)), 'exit_layer'];
  }
}

/**
 * The name that an input field has in the output: its own, or, where labelling adds a field of that name, with as many
 * `input_` before it as it takes to be the only one.
 */
export function carriedName(
  name: string,
  added: ReadonlySet<string>,
  inputNames: ReadonlySet<string>,
): string {
  if (!added.has(name)) return name;
  let carried = `input_${name}`;
  while (inputNames.has(carried)) carried = `input_${carried}`;
  return carried;
}
