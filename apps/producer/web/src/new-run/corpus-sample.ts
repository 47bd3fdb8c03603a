/** What the head of a file tells before it is sent. */
export interface CorpusSample {
  /** Names of its fields, as far as they can be told here; the producer decides by itself. */
  readonly fields: readonly string[];
  /** A guess from its size; undefined where it is compressed or has no lines. */
  readonly rows: number | undefined;
}

const HEAD_BYTES = 2 ** 18;
const MOST_FIELDS = 200;

/** @param format where somebody says it; else by the name */
export async function sampleOf(files: readonly File[], format?: string): Promise<CorpusSample> {
  const [first] = files;
  if (first === undefined) return { fields: [], rows: undefined };
  const bytes = new Uint8Array(await first.slice(0, HEAD_BYTES).arrayBuffer());
  return sampleOfHead(
    first.name,
    bytes,
    files.reduce((sum, file) => sum + file.size, 0),
    format,
  );
}

/** @param head the first bytes of the first file @param size of all files, bytes */
export function sampleOfHead(name: string, head: Uint8Array, size: number, format?: string): CorpusSample {
  const kind = format ?? /\.(jsonl|ndjson|csv|tsv|txt)$/i.exec(name)?.[1]?.toLowerCase();
  const isText = kind !== undefined && kind !== 'parquet' && !(head[0] === 0x1f && head[1] === 0x8b);
  if (!isText || head.length === 0) return { fields: [], rows: undefined };
  const lines = new TextDecoder().decode(head).split('\n');
  const isWhole = head.length === size;
  // The last line may be cut off, or is empty behind the end of the last.
  const whole = isWhole ? lines.filter((line) => line !== '') : lines.slice(0, -1);
  const hasHead = kind === 'csv' || kind === 'tsv';
  const rows = isWhole ? whole.length : Math.round((whole.length * size) / head.length);
  return {
    fields: fieldsOf(kind, whole).slice(0, MOST_FIELDS),
    rows: Math.max(rows - (hasHead ? 1 : 0), 0),
  };
}

function fieldsOf(kind: string, lines: readonly string[]): string[] {
  const [first = '', ...others] = lines;
  const head = first.replace(/^\uFEFF|\r$/g, '');
  if (kind === 'csv' || kind === 'tsv') return cellsOf(head, kind === 'csv' ? ',' : '\t');
  if (kind === 'txt') return [];
  // Rows need not have the same fields.
  return [...new Set([head, ...others].flatMap(keysOf))];
}

function keysOf(line: string): string[] {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null && !Array.isArray(row) ? Object.keys(row) : [];
  } catch {
    return [];
  }
}

/** Cells of one line; quotes may enclose a separator. */
function cellsOf(line: string, separator: string): string[] {
  const cells = [''];
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) cells.push('');
    else cells[cells.length - 1] += character;
  }
  return cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
}
