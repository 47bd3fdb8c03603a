import { basename } from 'node:path';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import type { TrainingRows } from '../data/read-rows.js';
import type { TrainingOutcome, TrainingRequest } from '../process/training-request.js';

interface CardParts {
  readonly request: TrainingRequest;
  readonly outcome: TrainingOutcome;
  readonly config: CheckpointConfig;
  readonly rows: TrainingRows;
  readonly dev: TrainingRows | undefined;
}

/** A page about a trained model: what it is, what it learned from, how good it is. Markdown. */
export function modelCard({ request, outcome, config, rows, dev }: CardParts): string {
  const { geometry, labels, task, maxLength } = config;
  const { loop } = request;
  const facts: [string, string][] = [
    ['labels', labels.join(', ')],
    ['input', `${task === 'pair' ? 'text pairs' : 'texts'} of up to ${maxLength} tokens`],
    ['encoder', `${geometry.layers} layers × ${geometry.hiddenSize}, ${geometry.heads} heads`],
    ['exits', config.exits.map(({ layer, kind }) => `${layer} (${kind})`).join(', ')],
    ['began with', beginningOf(request)],
    [
      'learned from',
      `${namesOf(request.data.paths)}: ${rows.lengths.length} rows, ${rows.tokens.ids.length} tokens`,
    ],
    ['method', methodOf(request)],
    [
      'recipe',
      `${loop.epochs} epochs (numbers of epoch ${outcome.epoch}), ${outcome.steps} steps, ${loop.batchTokens * loop.accumulate} tokens a step, ` +
        `AdamW, peak rate ${loop.rate}, warm-up ${loop.warmUp}, decay ${loop.weightDecay}, clipped at ${loop.clip}, seed ${loop.seed}`,
    ],
    ['made by', `${request.tool}, backend ${outcome.backend}, in ${Math.round(outcome.seconds)} s`],
  ];
  const lines = [
    `# ${basename(request.out)}`,
    '',
    '| | |',
    '| --- | --- |',
    ...facts.map(([key, value]) => `| ${key} | ${cell(value)} |`),
  ];
  if (outcome.dev !== undefined && dev !== undefined) {
    const what = dev.golds === undefined ? 'answers as the last exit' : 'right';
    lines.push(
      '',
      `## On ${namesOf(request.dev!.paths)} (${dev.lengths.length} rows)`,
      '',
      `| exit | ${what} |`,
      '| --- | --- |',
      ...outcome.dev.map(({ layer, share }) => `| ${layer} | ${share.toFixed(3)} |`),
    );
  }
  lines.push(
    '',
    '![Loss and accuracy over the steps](training.svg)',
    '',
    '`training.jsonl` has the loss of every step.',
    '',
  );
  return lines.join('\n');
}

/** Where the files lie is of no use to who reads the page elsewhere. */
function namesOf(paths: readonly string[]): string {
  return paths.map((path) => basename(path)).join(', ');
}

function beginningOf(request: TrainingRequest): string {
  const base = basename(request.base);
  const isNew = request.kind === 'train' && request.fromScratch !== undefined;
  return isNew ? `a new encoder (from scratch), with the tokenizer of ${base}` : base;
}

function methodOf(request: TrainingRequest): string {
  if (request.kind === 'train') {
    const weights = request.classWeights === 'balanced' ? ', classes balanced' : '';
    return request.joint === 'last'
      ? `cross-entropy of the last exit, dropout ${request.dropout}${weights}`
      : `cross-entropy of all exits together (${request.joint}), dropout ${request.dropout}${weights}`;
  }
  const { direction, temperature, hardLabels } = request.loss;
  const hard = hardLabels > 0 ? `, ${hardLabels} of it with the rows' own labels` : '';
  return `exits distilled from the last (KL ${direction.replace('-', '‖')}, temperature ${temperature}${hard})`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
