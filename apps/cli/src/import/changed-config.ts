import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { UsageError } from '#run/usage-error.js';

/** What a model's files may say wrongly, or not at all. */
export interface ConfigChanges {
  readonly labels?: readonly string[] | undefined;
  readonly task?: CheckpointConfig['task'] | undefined;
  /** Tokens. */
  readonly maxLength?: number | undefined;
}

/** @throws UsageError where the change does not fit the model */
export function changedConfig(
  config: CheckpointConfig,
  { labels, task, maxLength }: ConfigChanges,
): CheckpointConfig {
  if (labels !== undefined) checkLabels(config, labels);
  const { maxPositions } = config.geometry;
  if (maxLength !== undefined && maxLength > maxPositions) {
    throw new UsageError(`--max-length is ${maxLength}, but the model has ${maxPositions} positions.`);
  }
  return {
    ...config,
    labels: labels ?? config.labels,
    task: task ?? config.task,
    maxLength: maxLength ?? config.maxLength,
  };
}

function checkLabels({ labels: own, exits }: CheckpointConfig, labels: readonly string[]): void {
  if (exits.length === 0) {
    throw new UsageError('The model is a bare backbone: it gets its labels when it is trained, not here.');
  }
  if (labels.length !== own.length) {
    throw new UsageError(`The model has ${own.length} classes; ${labels.length} labels were given.`);
  }
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice !== undefined) throw new UsageError(`The label ${JSON.stringify(twice)} is given twice.`);
}
