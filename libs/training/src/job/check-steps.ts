import type { TrainingStep } from './training-steps.js';

/** Steps that do not follow one another. */
export class StepsError extends Error {
  override readonly name = 'StepsError';
}

/**
 * The heads of an exit have the same width. Each step works on what those before it made: the first has a base, or a model, and no other has one.
 * @throws StepsError
 */
export function checkSteps(steps: readonly TrainingStep[]): void {
  let hasCheckpoint = false;
  let hasBundle = false;
  for (const [index, step] of steps.entries()) {
    const place = `steps[${index}] (${step.kind})`;
    if (step.kind === 'evaluate') {
      if (!hasBundle && step.model === undefined) {
        throw new StepsError(`${place} needs a model: no step before it compiles one.`);
      }
      if (hasBundle && step.model !== undefined) {
        throw new StepsError(`${place} evaluates what the step before it compiled: leave out its model.`);
      }
      continue;
    }
    if (step.kind !== 'compile' && step.patience > 0 && step.dev === undefined) {
      throw new StepsError(`${place} has patience, which counts epochs on dev: it needs dev.`);
    }
    if (!hasCheckpoint && step.base === undefined) {
      throw new StepsError(`${place} needs a base: no step before it makes a checkpoint.`);
    }
    if (hasCheckpoint && step.kind === 'train') {
      throw new StepsError(`${place} must come first: it begins with its base.`);
    }
    if (hasCheckpoint && step.base !== undefined) {
      throw new StepsError(`${place} goes on with the checkpoint of the step before it: leave out its base.`);
    }
    if (step.kind !== 'compile' && step.exitSize % step.exitHeads !== 0) {
      throw new StepsError(`${place}: exitSize must be a multiple of exitHeads.`);
    }
    if (step.kind === 'compile' && step.calibrate === undefined && step.precision === 'int8') {
      throw new StepsError(`${place} needs calibrate for int8.`);
    }
    hasCheckpoint = true;
    hasBundle ||= step.kind === 'compile';
  }
}
