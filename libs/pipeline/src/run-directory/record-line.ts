import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const checked = /^(\{.*),"check":"([0-9a-f]{16})"\}$/;

/**
 * A record as one line of JSON that proves itself: its last field is a hash of the others.
 * `{"chunk":0,"rows":2}` becomes `{"chunk":0,"rows":2,"check":"…16 hex digits…"}\n`.
 */
export function recordLine(record: object): string {
  const json = JSON.stringify(record);
  return `${json.slice(0, -1)},"check":"${checkOf(json)}"}\n`;
}

/**
 * The record of a line, or undefined if the line is torn or damaged. The check proves that `recordLine` wrote the
 * line, so `is` need only tell apart what may be written there.
 */
export function readRecord<T>(line: string, is: (record: unknown) => record is T): T | undefined {
  const [, fields, check] = checked.exec(line) ?? [];
  if (fields === undefined || checkOf(`${fields}}`) !== check) return undefined;
  const record: unknown = JSON.parse(`${fields}}`);
  return is(record) ? record : undefined;
}

/** The lines of a file that end in a newline; a torn last line is left out. A missing file has none. */
export async function* completeLines(path: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? block : Buffer.concat([rest, block]);
      let start = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
        yield rest.toString('utf8', start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function checkOf(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, 16);
}
