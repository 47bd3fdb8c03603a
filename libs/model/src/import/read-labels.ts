import { join } from 'node:path';
import { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';
import type { ModelFiles } from './model-files.js';
import { readJson } from './read-json.js';

const labelsSchema = z.object({
  labels: z.array(z.string()),
  seq_length: z.int().positive().optional(),
});

/** What FastBERT's weights do not say. */
export interface NamedLabels {
  readonly labels: readonly string[];
  /** Tokens of a text; `undefined` where the file does not say. */
  readonly maxLength: number | undefined;
  /** Of the file; empty where there is none. */
  readonly text: string;
  readonly assumptions: readonly string[];
}

/**
 * The labels in `labels.json`; where there is none, the classes' numbers from 0.
 * @throws CheckpointError where they are not as many as the model has classes
 */
export async function readLabels({ directory, names }: ModelFiles, classes: number): Promise<NamedLabels> {
  if (!names.includes('labels.json')) {
    return {
      labels: Array.from({ length: classes }, (_, index) => String(index)),
      maxLength: undefined,
      text: '',
      assumptions: [
        `there is no labels.json, so the labels are called ${classes === 2 ? '0 and 1' : `0 to ${classes - 1}`}`,
      ],
    };
  }
  const file = await readJson(join(directory, 'labels.json'));
  const parsed = labelsSchema.safeParse(file.json);
  if (!parsed.success) {
    throw new CheckpointError(
      file.path,
      `{"labels": […], "seq_length": …} is expected: ${schemaProblem(parsed.error)}`,
    );
  }
  const { labels, seq_length: maxLength } = parsed.data;
  if (labels.length !== classes || new Set(labels).size < labels.length) {
    throw new CheckpointError(
      file.path,
      `names ${labels.length} labels; the model has ${classes} classes, each of which needs a label of its own.`,
    );
  }
  return { labels, maxLength, text: file.text, assumptions: [] };
}
