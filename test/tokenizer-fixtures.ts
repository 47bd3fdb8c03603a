import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const folder = path.join('test', 'fixtures', 'tokenizer-families');

/** What make_fixtures.py recorded of the reference, to be checked by its reader. */
export function recordedTokens(): unknown {
  return JSON.parse(gunzipSync(readFileSync(path.join(folder, 'expected.json.gz'))).toString('utf8'));
}

/** SentencePiece's nmt_nfkc, as tokenizer.json holds it. */
export function nmtNfkc(): string {
  return gunzipSync(readFileSync(path.join(folder, 'nmt_nfkc.gz'))).toString('base64');
}

/** The content of one of the small tokenizers, with its charsmap put in. */
export function familyTokenizer(name: string): string {
  const content = readFileSync(path.join(folder, 'tokenizers', `${name}.json`), 'utf8');
  return content.replaceAll('"nmt_nfkc"', () => JSON.stringify(nmtNfkc()));
}
