import { layoutTensors } from '#model/checkpoint/layout-tensors.js';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import type { Exit } from '#model/checkpoint/exit.js';
import { framingOf } from '#tokenizer/special-tokens.js';
import type { TokenizerJson } from '#tokenizer/tokenizer-json.js';
import { idOfToken } from '#tokenizer/tokenizer-json.js';
import { bytesText, countText } from '../terminal/quantity.js';
import type { TableLayout } from '../terminal/table.js';
import { tableLines } from '../terminal/table.js';
import { groupNames } from './group-names.js';

/** What there is to say of a checkpoint. */
export interface CheckpointFacts {
  readonly format: string;
  readonly weights: string;
  readonly config: CheckpointConfig;
  readonly tokenizer: TokenizerJson;
  /** Numbers of all tensors. */
  readonly parameters: number;
  /** Tensors of the file that are none of the model's. */
  readonly dropped: readonly string[];
  readonly assumptions: readonly string[];
}

/**
 * Finds every tensor of a checkpoint, without reading their values.
 * @param config the checkpoint's, or with labels and limits changed
 * @throws CheckpointError, TokenizerFileError
 */
export async function checkpointFacts(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
): Promise<CheckpointFacts> {
  let parameters = 0;
  for (const { name, shape } of layoutTensors(config)) parameters += checkpoint.locate(name, shape);
  const { format, weights, assumptions } = checkpoint;
  return {
    format,
    weights,
    config,
    tokenizer: await checkpoint.tokenizer(),
    parameters,
    dropped: checkpoint.unread(),
    assumptions,
  };
}

/** The same for programs; the tokenizer in short. */
export function checkpointJson({ config, tokenizer, ...facts }: CheckpointFacts): Record<string, unknown> {
  return { ...facts, ...config, tokenizer: tokenizer.model.type };
}

/** A checkpoint for a person to read. */
export function checkpointLines(facts: CheckpointFacts, layout: TableLayout): string[] {
  const { format, weights, config, tokenizer, parameters, assumptions, dropped } = facts;
  const { geometry, exits } = config;
  const notes = [...assumptions, ...(exits.length === 0 ? [bareBackbone] : [])];
  return [
    `${layout.paint.style('bold', format)}  ${geometry.layers} layers × ${geometry.hiddenSize}, ${geometry.heads} heads, ${countText(geometry.vocabSize)} words`,
    `weights: ${weights}; ${countText(parameters)} parameters, ${bytesText(parameters * 4)} in float32`,
    `encoder: ${encoderText(config)}`,
    `texts: ${config.task}, at most ${config.maxLength} tokens of ${tokenizer.model.type}, ${frameText(config, tokenizer)}`,
    ...(exits.length === 0 ? [] : [`labels: ${labelsText(config)}`, '', ...exitTable(exits, layout)]),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `note: ${note}`)]),
    ...(dropped.length === 0 ? [] : ['', `not used: ${groupNames(dropped).join(', ')}`]),
  ];
}

const bareBackbone = 'it is a bare backbone, without a classifier: train it before you compile it';

/** `cls-sep, [CLS] a [SEP]`: how texts are framed, by the tokens of this tokenizer. */
function frameText({ specialTokens, task }: CheckpointConfig, tokenizer: TokenizerJson): string {
  const framing = framingOf(tokenizer);
  if (framing.problem !== undefined) return `${specialTokens}, but ${framing.problem}`;
  const named = (id: number, names: readonly string[]): string =>
    names.find((name) => idOfToken(tokenizer, name) === id) ?? `token ${id}`;
  const [cls, sep] = [named(framing.cls, ['[CLS]', '<s>']), named(framing.sep, ['[SEP]', '</s>'])];
  const single = specialTokens === 'cls' ? [cls, 'a'] : [cls, 'a', sep];
  const pair = [cls, 'a', sep, ...(specialTokens === 'cls-sep-sep' ? [sep] : []), 'b', sep];
  return `${specialTokens}: ${(task === 'single' ? single : pair).join(' ')}`;
}

function encoderText({ geometry }: CheckpointConfig): string {
  const { intermediateSize, activation, maxPositions, segments, embeddingSize, hiddenSize } = geometry;
  return [
    `${activation} of ${intermediateSize}`,
    `${maxPositions} positions`,
    segments === 0 ? 'no segments' : `${segments} segment${segments === 1 ? '' : 's'}`,
    ...(embeddingSize === hiddenSize ? [] : [`embeddings of ${embeddingSize}`]),
    `${geometry.layerNormForm === 'unbiased' ? 'unbiased ' : ''}LayerNorm eps ${geometry.layerNormEps}`,
  ].join(', ');
}

function labelsText({ labels, problem }: CheckpointConfig): string {
  const most = 12;
  const rest = labels.length - most;
  const shown = labels.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return problem === 'single-label' ? shown : `${shown} (${problem})`;
}

function exitTable(exits: readonly Exit[], layout: TableLayout): string[] {
  return tableLines(
    [{ title: 'exit', align: 'right' }, { title: 'kind' }, { title: 'size', align: 'right' }],
    exits.map((exit) => [
      String(exit.layer),
      exit.kind,
      exit.kind === 'pooler' ? exit.activation : `${exit.size} × ${exit.heads} heads`,
    ]),
    layout,
  );
}
