import { shownText } from './shown-text.js';

const MOST_SHOWN = 3;

/** As zod's errors are. */
interface SchemaError {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** What a schema found wrong, on one line: `labels[0]: Invalid input: expected string, received number; …`. */
export function schemaProblem({ issues }: SchemaError): string {
  const shown = issues
    .slice(0, MOST_SHOWN)
    .map(({ path, message }) => `${path.length === 0 ? '' : `${pathText(path)}: `}${message}`);
  const more = issues.length - shown.length;
  return shownText([...shown, ...(more > 0 ? [`${more} more`] : [])].join('; '));
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, depth) => (typeof key === 'number' ? `[${key}]` : `${depth === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
