/** The fields that labelling adds to a row, in order. */
export function addedNames(labels: readonly string[], probabilities: boolean): string[] {
  const added = ['label', 'confidence', 'exit_layer', 'uncertainty'];
  return probabilities ? [...added, ...labels.map((label) => `probability_${label}`)] : added;
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
