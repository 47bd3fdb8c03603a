import type { DemoRow } from '../apps/cli/src/demo/demo-corpus.js';
import { demoRows } from '../apps/cli/src/demo/demo-corpus.js';

/** Mails of the demo corpus, at even distances in it, their texts cut to so many characters. */
export async function mailSample(rows: number, characters: number): Promise<DemoRow[]> {
  const mails: DemoRow[] = [];
  for await (const mail of demoRows()) mails.push(mail);
  return Array.from({ length: rows }, (_, index) => {
    const mail = mails[Math.floor((index * mails.length) / rows)]!;
    return { ...mail, text: Array.from(mail.text).slice(0, characters).join('') };
  });
}

export function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
