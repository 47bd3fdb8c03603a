import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openWeightsFile } from '#model/checkpoint/open-weights.js';
import type { TensorSource } from '#model/checkpoint/tensor-source.js';
import { writeSafetensors } from '#model/checkpoint/write-safetensors.js';
import { writeWholeDirectory } from '#model/whole-directory.js';
import type { TrainableModel } from '../model/trainable-model.js';
import type { Values } from '../model/values.js';
import type { AdamW } from '../optimiser/adamw.js';

const positionSchema = z.object({
  /** What must be the same for a training to go on. */
  settings: z.string(),
  /** Steps that were made. */
  step: z.int().nonnegative(),
  best: z.object({ epoch: z.int(), score: z.number() }).nullable(),
  /** Tensors of the best epoch are there. */
  hasBest: z.boolean(),
  /** What computed. */
  backend: z.string().optional(),
});

/** Where a training stands, beside its numbers. */
export type TrainingPosition = z.infer<typeof positionSchema>;

/** What is in the folder belongs to another training. */
export class OtherTrainingError extends Error {
  override readonly name = 'OtherTrainingError';

  constructor(readonly folder: string) {
    super(
      `${folder} holds a training of other data or options. Give the same ones to go on with it, or start anew (--force, or a new training).`,
    );
  }
}

/** No checkpoint in the folder can be read. */
export class TrainingStateError extends Error {
  override readonly name = 'TrainingStateError';

  /** @param folder of the latest checkpoint */
  constructor(
    readonly folder: string,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `${folder} cannot be read: ${why.replace(/\.?$/, '.')} Put it right and give the same command again, or start anew with --force.`,
      { cause },
    );
  }
}

const NAME = /^step-\d{9}$/;
/** Also of what a process that was killed was about to write. */
const START = 'step-';

/**
 * Checkpoints of a training: each a folder `step-N` that appears whole. The last two are kept, since only the loss of the
 * step after it shows whether a checkpoint is good. A training that is killed at any moment goes on from the last, to the
 * same numbers.
 */
export class TrainingStates {
  readonly #folder: string;
  readonly #settings: string;
  readonly #backend: string | undefined;
  /** Step of the checkpoint that the numbers are those of. */
  #kept: number | undefined;

  /** @param settings what the numbers depend on @param backend that computes */
  constructor(folder: string, settings: string, backend?: string) {
    this.#folder = folder;
    this.#settings = settings;
    this.#backend = backend;
  }

  /**
   * Puts the numbers of the last checkpoint that can be read into the model, the optimiser and `best`.
   * @returns where it stands; undefined where there is none
   * @throws OtherTrainingError, TrainingStateError
   */
  async restore(
    model: TrainableModel,
    optimiser: AdamW,
    best: Map<string, Float32Array>,
  ): Promise<TrainingPosition | undefined> {
    let damage: TrainingStateError | undefined;
    for (const name of (await this.#names()).toReversed()) {
      const folder = join(this.#folder, name);
      try {
        const position = await this.#read(folder, model, optimiser, best);
        this.#kept = position.step;
        return position;
      } catch (error) {
        if (error instanceof OtherTrainingError) throw error;
        damage ??= new TrainingStateError(folder, error);
      }
    }
    if (damage !== undefined) throw damage;
    return undefined;
  }

  /** Keeps where a training stands. @param best numbers of the best epoch; empty where there is none */
  async save(
    model: TrainableModel,
    optimiser: AdamW,
    best: Values,
    position: Pick<TrainingPosition, 'best'>,
  ): Promise<void> {
    // Putting it in its own place again would leave none for a moment.
    if (this.#kept === optimiser.steps) return;
    const name = nameOf(optimiser.steps);
    const whole: TrainingPosition = {
      settings: this.#settings,
      step: optimiser.steps,
      best: position.best,
      hasBest: best.size > 0,
      backend: this.#backend,
    };
    await writeWholeDirectory(join(this.#folder, name), async (folder) => {
      const write = (file: string, values: Values): Promise<void> =>
        writeSafetensors(
          join(folder, `${file}.safetensors`),
          [...optimiser.moments.keys()].map((each) => ({ name: each, shape: model.shape(each) })),
          (tensor) => Promise.resolve(values.get(tensor.name)!),
        );
      await write('values', model.values);
      await write('first', momentsOf(optimiser, 'first'));
      await write('second', momentsOf(optimiser, 'second'));
      if (best.size > 0) await write('best', best);
      await writeFile(join(folder, 'position.json'), `${JSON.stringify(whole)}\n`, { flush: true });
    });
    this.#kept = optimiser.steps;
    const before = (await this.#names()).findLast((each) => each < name);
    await this.#removeBut([before, name]);
  }

  /** Forgets a checkpoint. */
  async remove(step: number): Promise<void> {
    await rm(join(this.#folder, nameOf(step)), { recursive: true, force: true });
  }

  /** Forgets what another training left. */
  async clear(): Promise<void> {
    await this.#removeBut([]);
  }

  async #removeBut(kept: readonly (string | undefined)[]): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(START) || kept.includes(name)) continue;
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #read(
    folder: string,
    model: TrainableModel,
    optimiser: AdamW,
    best: Map<string, Float32Array>,
  ): Promise<TrainingPosition> {
    const position = positionSchema.parse(JSON.parse(await readFile(join(folder, 'position.json'), 'utf8')));
    if (position.settings !== this.#settings) throw new OtherTrainingError(this.#folder);
    const names = [...optimiser.moments.keys()];
    const ofBest = position.hasBest ? names : [];
    const bestOf = new Map(ofBest.map((name) => [name, new Float32Array(model.values.get(name)!.length)]));
    const parts: (readonly [string, Values])[] = [
      ['values', model.values],
      ['first', momentsOf(optimiser, 'first')],
      ['second', momentsOf(optimiser, 'second')],
      ...(position.hasBest ? [['best', bestOf] as const] : []),
    ];
    const files: TensorSource[] = [];
    try {
      // All are opened before the first is read: a file that is cut or missing leaves no number behind.
      for (const [part] of parts) files.push(await openWeightsFile(join(folder, `${part}.safetensors`)));
      for (const [index, [, values]] of parts.entries()) {
        for (const name of names) values.get(name)!.set(await files[index]!.read(name));
      }
    } finally {
      for (const file of files) await file.close();
    }
    model.changed(names);
    optimiser.steps = position.step;
    for (const [name, values] of bestOf) best.set(name, values);
    return position;
  }

  /** Of whole checkpoints, the oldest first. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => NAME.test(name)).sort();
  }
}

function nameOf(step: number): string {
  return `${START}${String(step).padStart(9, '0')}`;
}

function momentsOf(optimiser: AdamW, part: 'first' | 'second'): Values {
  return new Map(Array.from(optimiser.moments, ([name, moments]) => [name, moments[part]]));
}
