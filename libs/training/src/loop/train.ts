import { Random } from '../data/random.js';
import { lengthBatches } from '../data/length-batches.js';
import type { LossGradients } from '../model/loss-gradients.js';
import { AdamW } from '../optimiser/adamw.js';
import type { RowGradient } from '../optimiser/gradient.js';
import { clippingScale, globalNorm } from '../optimiser/gradient.js';
import { learningRate } from '../optimiser/learning-rate.js';
import { addGradients, scaleGradients } from '../optimiser/add-gradients.js';
import { LossNotFiniteError, ModelNotFiniteError } from './not-finite.js';
import type { TrainingEvent } from './training-events.js';
import type { TrainingStates } from './training-state.js';
import type { ExitFigure, TrainingTask } from './training-task.js';

export interface LoopOptions {
  readonly epochs: number;
  /** Tokens of a batch, padding included. */
  readonly batchTokens: number;
  /** Batches whose gradients make one step. */
  readonly accumulate: number;
  readonly rate: number;
  /** Share of the steps in which the rate rises. */
  readonly warmUp: number;
  readonly weightDecay: number;
  /** Greatest norm of a gradient. */
  readonly clip: number;
  readonly seed: number;
  /** Epochs without a better figure on dev after which training ends; 0: never. */
  readonly patience: number;
  /** Steps between checkpoints. */
  readonly checkpointSteps: number;
}

export interface LoopHooks {
  readonly states: Pick<TrainingStates, 'restore' | 'save'>;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: TrainingEvent) => void;
  /** Hears from which step on a training goes on. */
  readonly onResume?: ((step: number) => void) | undefined;
}

/** Where a training ended. */
export interface LoopResult {
  readonly steps: number;
  /** The epoch whose numbers the model has now. */
  readonly epoch: number;
  readonly dev: readonly ExitFigure[] | undefined;
  readonly end: 'finished' | 'early' | 'stopped';
}

/** Trains; the model has the numbers of the best epoch at the end, or of the last where there is no dev corpus. */
export async function train(task: TrainingTask, options: LoopOptions, hooks: LoopHooks): Promise<LoopResult> {
  return new TrainingLoop(task, options, hooks).run();
}

class TrainingLoop {
  readonly #task: TrainingTask;
  readonly #options: LoopOptions;
  readonly #hooks: LoopHooks;
  readonly #optimiser: AdamW;
  readonly #bestValues = new Map<string, Float32Array>();
  /** Steps before each epoch, from the first on. */
  readonly #stepsOfEpochs = [0];
  #best: { readonly epoch: number; readonly score: number } | null = null;
  #dev: readonly ExitFigure[] | undefined;

  constructor(task: TrainingTask, options: LoopOptions, hooks: LoopHooks) {
    this.#task = task;
    this.#options = options;
    this.#hooks = hooks;
    this.#optimiser = new AdamW(task.model.values, task.trained, { weightDecay: options.weightDecay });
  }

  async run(): Promise<LoopResult> {
    const { states, onResume, signal } = this.#hooks;
    const { epochs, checkpointSteps } = this.#options;
    const position = await states.restore(this.#task.model, this.#optimiser, this.#bestValues);
    this.#best = position?.best ?? null;
    if (position !== undefined) onResume?.(position.step);
    const steps = await this.#countSteps();
    if (steps === undefined) return await this.#stopped(0);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const before = this.#stepsBefore(epoch);
      // A checkpoint at the end of an epoch is made behind its evaluation.
      if (position !== undefined && this.#stepsBefore(epoch + 1) <= position.step) {
        if (this.#hasWaited(epoch)) return this.#finished('early', epoch);
        continue;
      }
      const groups = this.#groups(epoch);
      for (const [index, batches] of groups.entries()) {
        if (before + index < this.#optimiser.steps) continue;
        // Messages to this process are heard between steps.
        await new Promise(setImmediate);
        if (signal?.aborted === true) return await this.#stopped(epoch);
        await this.#step(batches, epoch, steps);
        const isLast = index === groups.length - 1;
        if (!isLast && this.#optimiser.steps % checkpointSteps === 0) await this.#save();
      }
      await this.#evaluate(epoch);
      await this.#save();
      if (this.#hasWaited(epoch)) return this.#finished('early', epoch);
    }
    return this.#finished('finished', epochs);
  }

  /** Whether there was no better epoch for too long. */
  #hasWaited(epoch: number): boolean {
    const { patience, epochs } = this.#options;
    return patience > 0 && epoch < epochs && this.#best !== null && epoch - this.#best.epoch >= patience;
  }

  /** Batches of an epoch, those of one step together. */
  #groups(epoch: number): Int32Array[][] {
    const { batchTokens, seed, accumulate } = this.#options;
    const batches = lengthBatches(this.#task.lengths, batchTokens, [seed, epoch]);
    const groups: Int32Array[][] = [];
    for (let from = 0; from < batches.length; from += accumulate) {
      groups.push(batches.slice(from, from + accumulate));
    }
    return groups;
  }

  /** Steps of all epochs; undefined where it is stopped meanwhile: many epochs of a great corpus take a while. */
  async #countSteps(): Promise<number | undefined> {
    const { epochs } = this.#options;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      // Messages to this process are heard between epochs.
      await new Promise(setImmediate);
      if (this.#hooks.signal?.aborted === true) return undefined;
      this.#stepsOfEpochs.push(this.#stepsBefore(epoch) + this.#groups(epoch).length);
    }
    return this.#stepsBefore(epochs + 1);
  }

  /** Steps of the epochs before this one. */
  #stepsBefore(epoch: number): number {
    return this.#stepsOfEpochs[epoch - 1]!;
  }

  async #step(batches: readonly Int32Array[], epoch: number, steps: number): Promise<void> {
    const { model, phase, lengths, trained } = this.#task;
    const { rate: peak, warmUp, clip, seed } = this.#options;
    const begun = performance.now();
    const step = this.#optimiser.steps;
    let sum: Map<string, Float32Array | RowGradient> | undefined;
    let loss = 0;
    let [rows, tokens] = [0, 0];
    for (const [index, batch] of batches.entries()) {
      const random = new Random(seed, step, index);
      const found: LossGradients = await this.#task.gradients(batch, random, step);
      if (!Number.isFinite(found.loss)) this.#refuse(step, epoch, batch);
      sum = sum === undefined ? new Map(found.gradients) : addGradients(sum, found.gradients);
      loss += found.loss / batches.length;
      rows += batch.length;
      tokens += batch.reduce((total, row) => total + lengths[row]!, 0);
    }
    if (batches.length > 1) scaleGradients(sum!, 1 / batches.length);
    const norm = globalNorm(sum!);
    if (!Number.isFinite(norm)) this.#refuse(step, epoch, batches[0]!);
    const rate = learningRate(peak, step, steps, warmUp);
    this.#optimiser.step(sum!, rate, clippingScale(norm, clip));
    model.changed(trained);
    this.#hooks.onEvent({
      kind: 'step',
      phase,
      step: step + 1,
      steps,
      epoch,
      loss,
      rate,
      norm,
      rows,
      tokens,
      ms: performance.now() - begun,
    });
  }

  #refuse(step: number, epoch: number, batch: Int32Array): never {
    const rows = Array.from(batch, (row) => this.#task.numbers[row]!);
    throw new LossNotFiniteError(step + 1, epoch, rows);
  }

  async #evaluate(epoch: number): Promise<void> {
    const { evaluate, score: scoreOf, phase, model, trained } = this.#task;
    if (evaluate === undefined) return;
    this.#expectFinite();
    const dev = await evaluate();
    const score = scoreOf(dev);
    const isBest = this.#best === null || score > this.#best.score;
    if (isBest) {
      this.#best = { epoch, score };
      for (const name of trained) this.#bestValues.set(name, model.values.get(name)!.slice());
    }
    this.#dev = dev;
    this.#hooks.onEvent({ kind: 'epoch', phase, epoch, step: this.#optimiser.steps, dev, score, isBest });
  }

  /** The loss of a step says nothing of what the step made of the model. */
  #expectFinite(): void {
    const { model, trained } = this.#task;
    const isFinite = (name: string): boolean => model.values.get(name)!.every(Number.isFinite);
    if (!trained.every(isFinite)) throw new ModelNotFiniteError(this.#optimiser.steps);
  }

  async #save(): Promise<void> {
    this.#expectFinite();
    await this.#hooks.states.save(this.#task.model, this.#optimiser, this.#bestValues, { best: this.#best });
  }

  async #stopped(epoch: number): Promise<LoopResult> {
    await this.#save();
    return { steps: this.#optimiser.steps, epoch, dev: this.#dev, end: 'stopped' };
  }

  async #finished(end: 'finished' | 'early', epoch: number): Promise<LoopResult> {
    const { model, evaluate } = this.#task;
    for (const [name, values] of this.#bestValues) model.values.get(name)!.set(values);
    model.changed(this.#bestValues.keys());
    const chosen = this.#best?.epoch ?? epoch;
    const dev = chosen === epoch && this.#dev !== undefined ? this.#dev : await evaluate?.();
    return { steps: this.#optimiser.steps, epoch: chosen, dev, end };
  }
}
