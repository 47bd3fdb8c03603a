import { expect, test } from 'vitest';

import { normalizerOf } from './normalizers.js';

/** What Python's tokenizers 0.23.3 gives. */
test.each([
  [
    'blanks in a row',
    { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
    'a   b\u3000 c',
    'a b\u3000 c',
  ],
  [
    'white space',
    { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: '$&' },
    'a\u0085 b\ufeffc',
    'a$&b\ufeffc',
  ],
  [
    "DeBERTa's white space",
    { type: 'Replace', pattern: { Regex: String.raw`\s{2,}|[\n\r\t]` }, content: ' ' },
    'a\u3000\u0085b\tc\u00a0d',
    'a b c\u00a0d',
  ],
  ['a literal', { type: 'Replace', pattern: { String: '.*' }, content: '$1' }, 'a.*b', 'a$1b'],
  ['ends', { type: 'Strip', strip_left: false, strip_right: true }, ' \u3000a\u0085\n', ' \u3000a'],
  ['a start', { type: 'Prepend', prepend: '▁' }, 'a', '▁a'],
  ['a start of nothing', { type: 'Prepend', prepend: '▁' }, '', ''],
  ['case, without final sigma', { type: 'Lowercase' }, '\u039f\u03a3 \u0130', '\u03bf\u03c3 i\u0307'],
  [
    'compatibility forms',
    { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] },
    '\uff21',
    'a',
  ],
  ['nothing', null, 'A', 'A'],
])('normalises %s', (_, part, text, expected) => {
  expect(normalizerOf(part)!(text)).toBe(expected);
});

test.each([
  ['an unknown part', { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Evil' }] }],
  ['an unknown pattern', { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }],
])('does not come close to %s', (_, part) => {
  expect(normalizerOf(part)).toBeUndefined();
});
