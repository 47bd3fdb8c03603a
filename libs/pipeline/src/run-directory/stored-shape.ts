/** What `typeof` says of each field; null passes as an object. */
type Shape = Readonly<Record<string, 'string' | 'number' | 'boolean' | 'object'>>;

/**
 * Whether a stored value is an object with these fields. An outline only: it tells records apart and catches files of
 * another kind; that the content is ours, checks and hashes prove.
 */
export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return Object.entries(shape).every(([name, type]) => typeof fields.get(name) === type);
}
