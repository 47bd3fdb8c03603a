import { z } from 'zod';

import { idOfToken } from './tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';

export const specialTokenRules = ['cls-sep', 'cls', 'cls-sep-sep'] as const;

/**
 * How texts are framed: `cls-sep` is `[CLS] a [SEP]`, for pairs `[CLS] a [SEP] b [SEP]`; `cls` is `[CLS] a`, for pairs
 * as `cls-sep`; `cls-sep-sep` is `<s> a </s>`, for pairs `<s> a </s></s> b </s>`. Segment 0 ends after the first
 * `[SEP]`. What stands for `[CLS]` and `[SEP]` is what the tokenizer says.
 */
export type SpecialTokenRule = (typeof specialTokenRules)[number];

/** How many special tokens a row has. */
export function specialTokenCount(rule: SpecialTokenRule, pairs: boolean): number {
  if (pairs) return rule === 'cls-sep-sep' ? 4 : 3;
  return rule === 'cls' ? 1 : 2;
}

/** The ids that frame a text, or why there are none. */
export type Framing =
  { readonly cls: number; readonly sep: number; readonly problem?: undefined } | { readonly problem: string };

/** Finds the framing tokens where the tokenizer's own post-processor has them, or else by their usual names. */
export function framingOf(json: TokenizerJson): Framing {
  const named = namedTokens(json);
  if (named === undefined) {
    return { problem: 'its post-processor puts no special token before a text, or none after it' };
  }
  const cls = named.cls ?? CLS_NAMES.find((name) => idOfToken(json, name) !== undefined) ?? CLS_NAMES[0];
  const sep = named.sep ?? SEP_NAMES.find((name) => idOfToken(json, name) !== undefined) ?? SEP_NAMES[0];
  const ids = { cls: idOfToken(json, cls), sep: idOfToken(json, sep) };
  if (ids.cls === undefined) return { problem: missing(cls) };
  if (ids.sep === undefined) return { problem: missing(sep) };
  return { cls: ids.cls, sep: ids.sep };
}

/** The rule that the tokenizer's own post-processor follows. */
export function ruleOfTokenizer(json: TokenizerJson): 'cls-sep' | 'cls-sep-sep' {
  const processors = processorsOf(json.post_processor);
  const framing = processors.find(({ type }) => FRAMING_PROCESSORS.has(type));
  if (framing === undefined) {
    return idOfToken(json, '[CLS]') === undefined && idOfToken(json, '<s>') !== undefined
      ? 'cls-sep-sep'
      : 'cls-sep';
  }
  switch (framing.type) {
    case 'RobertaProcessing':
      return 'cls-sep-sep';
    case 'TemplateProcessing': {
      const { pair } = template.parse(framing);
      const [first, second] = [pair.findIndex(isText), pair.findLastIndex(isText)];
      return second - first > 2 ? 'cls-sep-sep' : 'cls-sep';
    }
    default:
      return 'cls-sep';
  }
}

const CLS_NAMES = ['[CLS]', '<s>'] as const;
const SEP_NAMES = ['[SEP]', '</s>'] as const;
const FRAMING_PROCESSORS: ReadonlySet<string> = new Set([
  'TemplateProcessing',
  'BertProcessing',
  'RobertaProcessing',
]);

const piece = z.union([
  z.object({ SpecialToken: z.object({ id: z.string() }) }),
  z.object({ Sequence: z.object({ id: z.enum(['A', 'B']) }) }),
]);
type TemplatePiece = z.infer<typeof piece>;
const template = z.object({ single: z.array(piece), pair: z.array(piece).default([]) });
const tokenAndId = z.tuple([z.string(), z.int()]);
const classicProcessing = z.object({ cls: tokenAndId, sep: tokenAndId });

/** The tokens that a post-processor names, an empty object where there is none that frames, undefined where it frames otherwise. */
function namedTokens(json: TokenizerJson): { cls?: string; sep?: string } | undefined {
  const framing = processorsOf(json.post_processor).find(({ type }) => FRAMING_PROCESSORS.has(type));
  if (framing === undefined) return {};
  if (framing.type !== 'TemplateProcessing') {
    const classic = classicProcessing.safeParse(framing);
    return classic.success ? { cls: classic.data.cls[0], sep: classic.data.sep[0] } : undefined;
  }
  const parsed = template.safeParse(framing);
  if (!parsed.success) return undefined;
  const { single } = parsed.data;
  const [first, last] = [single[0], single.at(-1)];
  if (first === undefined || last === undefined || isText(first) || isText(last)) return undefined;
  return { cls: first.SpecialToken.id, sep: last.SpecialToken.id };
}

function isText(part: TemplatePiece): part is Extract<TemplatePiece, { Sequence: unknown }> {
  return 'Sequence' in part;
}

const sequence = z.object({ processors: z.array(z.looseObject({ type: z.string() })) });

function processorsOf(processor: TokenizerJson['post_processor']): { type: string }[] {
  if (processor === null) return [];
  if (processor.type !== 'Sequence') return [processor];
  const parsed = sequence.safeParse(processor);
  return parsed.success ? parsed.data.processors.flatMap(processorsOf) : [];
}

function missing(token: string): string {
  return `the vocabulary has no ${token}; a vocabulary with its special tokens is expected`;
}
