import { expect, test } from 'vitest';

import { parseTokenizerJson } from './parse-tokenizer-json.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const BERT = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', '##b'];
const IDS = Object.fromEntries(BERT.map((token, id) => [token, id]));

test.each([
  ['a line each', BERT.join('\n') + '\n'],
  ['a last line without its end', BERT.join('\n')],
  ['CRLF', BERT.join('\r\n') + '\r\n'],
  ['CRLF, a last line without its end', BERT.join('\r\n')],
  ['a second column', BERT.map((token, id) => `${token}\t${id}`).join('\n') + '\n'],
  ['a second column and CRLF', BERT.map((token, id) => `${token}\t${id}`).join('\r\n')],
  ['a byte order mark', '\uFEFF' + BERT.join('\n')],
])('reads %s', (_, vocab) => {
  expect(tokenizerJsonOfVocab(vocab).model.vocab).toEqual(IDS);
});

test('counts blank lines and keeps the last of repeated tokens', () => {
  expect(tokenizerJsonOfVocab('x\n\nx\ny\n').model.vocab).toEqual({ '': 1, x: 2, y: 3 });
});

test('takes any word for a token, names of object properties too', () => {
  const json = tokenizerJsonOfVocab([...BERT, '__proto__', 'constructor', '7'].join('\n'));
  const read = parseTokenizerJson(JSON.stringify(json), 'tokenizer.json');
  expect(
    Object.entries(read.model.vocab)
      .sort((a, b) => a[1] - b[1])
      .map(([token]) => token),
  ).toEqual([...BERT, '__proto__', 'constructor', '7']);
});

test('passes the options on', () => {
  const json = tokenizerJsonOfVocab(BERT.join('\n'), {
    lowercase: false,
    stripAccents: true,
    isolateIdeographs: false,
    splitSpecialTokens: true,
  });
  expect(json.normalizer).toEqual({
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: false,
    strip_accents: true,
    lowercase: false,
  });
  expect(json.added_tokens).toEqual([]);
});
