/** Parts of a name, up to which names are alike. */
const HEAD_PARTS = 2;

/** Tensors' names, those of one module put together: `5 tensors of cls.predictions.*`. */
export function groupNames(names: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const head = name.split('.').slice(0, HEAD_PARTS).join('.');
    groups.set(head, [...(groups.get(head) ?? []), name]);
  }
  return Array.from(groups, ([head, members]) =>
    members.length === 1 ? members[0]! : `${members.length} tensors of ${head}.*`,
  );
}
