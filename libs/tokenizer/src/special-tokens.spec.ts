import { expect, test } from 'vitest';

import { framingOf, ruleOfTokenizer } from './special-tokens.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const json = {
  ...tokenizerJsonOfVocab('<s>\n<pad>\n</s>\n<unk>\n[CLS]\n[SEP]\n[UNK]\n<cls>\n<sep>\n'),
  added_tokens: [],
};
const roberta = tokenizerJsonOfVocab('<s>\n</s>\n[UNK]\n');
const [A, B] = ['A', 'B'].map((id) => ({ Sequence: { id, type_id: 0 } }));
const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });

test.each([
  ['none', null, 4, 5, 'cls-sep'],
  [
    "BERT's template",
    {
      type: 'TemplateProcessing',
      single: [special('[CLS]'), A, special('[SEP]')],
      pair: [special('[CLS]'), A, special('[SEP]'), B, special('[SEP]')],
    },
    4,
    5,
    'cls-sep',
  ],
  [
    'a template with tokens of other names',
    {
      type: 'TemplateProcessing',
      single: [special('<cls>'), A, special('<sep>')],
      pair: [special('<cls>'), A, special('<sep>'), special('<sep>'), B, special('<sep>')],
    },
    7,
    8,
    'cls-sep-sep',
  ],
  ['BertProcessing', { type: 'BertProcessing', cls: ['[CLS]', 4], sep: ['[SEP]', 5] }, 4, 5, 'cls-sep'],
  [
    'RobertaProcessing',
    { type: 'RobertaProcessing', cls: ['<s>', 0], sep: ['</s>', 2] },
    0,
    2,
    'cls-sep-sep',
  ],
  [
    'a sequence with a template in it',
    {
      type: 'Sequence',
      processors: [
        { type: 'ByteLevel' },
        {
          type: 'TemplateProcessing',
          single: [special('<s>'), A, special('</s>')],
          pair: [special('<s>'), A, special('</s>'), special('</s>'), B, special('</s>')],
        },
      ],
    },
    0,
    2,
    'cls-sep-sep',
  ],
])('what a post-processor means: %s', (_, post_processor, cls, sep, rule) => {
  expect(framingOf({ ...json, post_processor })).toEqual({ cls, sep });
  expect(ruleOfTokenizer({ ...json, post_processor })).toBe(rule);
});

test("without a post-processor RoBERTa's tokens are known by their names", () => {
  const unframed = { ...roberta, post_processor: null };
  expect(framingOf(unframed)).toEqual({ cls: 0, sep: 1 });
  expect(ruleOfTokenizer(unframed)).toBe('cls-sep-sep');
});

test.each([
  ['nothing before the text', [A, special('[SEP]')]],
  ['nothing after the text', [special('[CLS]'), A]],
])('refuses a template with %s', (_, single) => {
  expect(framingOf({ ...json, post_processor: { type: 'TemplateProcessing', single } })).toEqual({
    problem: 'its post-processor puts no special token before a text, or none after it',
  });
});
