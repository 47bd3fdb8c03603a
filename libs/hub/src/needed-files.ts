import { NotReadableError, NothingIncludedError } from './download-errors.js';

/** What to pull of a repository. */
export interface NeededFiles {
  /** Names of files, the index of shards among them. */
  readonly names: readonly string[];
  /** The index that names the shards which are needed besides. */
  readonly index: string | undefined;
}

const TOKENIZERS = [['tokenizer.json'], ['vocab.txt'], ['vocab.json', 'merges.txt']];
const SETTINGS = ['tokenizer_config.json', 'special_tokens_map.json'];
/** Best first: safetensors can be read piece by piece, and holds nothing but numbers. */
const WEIGHTS = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/**
 * Chooses from a repository's files what a model needs here, in one format of those it comes in, and what `include`
 * names besides. With `include`, what is needed may be missing: models of other makers have files of other names.
 *
 * @param include patterns: `*` and `?` within a name, `**` across folders
 * @throws NotReadableError, NothingIncludedError
 */
export function neededFiles(
  repository: string,
  listed: readonly string[],
  include: readonly string[],
): NeededFiles {
  const there = new Set(listed);
  const tokenizer = TOKENIZERS.find((names) => names.every((name) => there.has(name)));
  const weights = WEIGHTS.find((name) => there.has(name));
  if (include.length === 0) {
    if (!there.has('config.json')) throw new NotReadableError(repository, 'config.json', listed);
    if (weights === undefined) throw new NotReadableError(repository, 'weights', listed);
    if (tokenizer === undefined) throw new NotReadableError(repository, 'tokenizer', listed);
  }
  const names = ['config.json', ...SETTINGS].filter((name) => there.has(name));
  names.push(...(tokenizer ?? []));
  if (weights !== undefined) names.push(weights);
  for (const pattern of include) {
    const expression = patternExpression(pattern);
    const found = listed.filter((name) => expression.test(name));
    if (found.length === 0) throw new NothingIncludedError(repository, pattern, listed);
    names.push(...found);
  }
  return { names: [...new Set(names)], index: weights?.endsWith('.index.json') ? weights : undefined };
}

function patternExpression(pattern: string): RegExp {
  const sources = (pattern.match(/\*\*\/|\*\*|[^]/gu) ?? []).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return /[\\^$.+()[\]{}|/]/.test(part) ? `\\${part}` : part;
  });
  return new RegExp(`^${sources.join('')}$`, 'su');
}
