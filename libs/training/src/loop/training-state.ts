import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openWeightsFile } from '#model/checkpoint/open-weights.js';
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

const NAME = /^step-(\d{9})$/;

/**
 * Checkpoints of a training: each a folder `step-N` that appears whole, of which the last is kept. A training that is
 * killed at any moment goes on from it, to the same numbers.
 */
export class TrainingStates {
  readonly #folder: string;
  readonly #settings: string;
  readonly #backend: string | undefined;

  /** @param settings what the numbers depend on @param backend that computes */
  constructor(folder: string, settings: string, backend?: string) {
    this.#folder = folder;
    this.#settings = settings;
    this.#backend = backend;
  }

  /**
   * Puts the numbers of the last checkpoint into the model, the optimiser and `best`.
   * @returns where it stands; undefined where there is none
   * @throws OtherTrainingError
   */
  async restore(
    model: TrainableModel,
    optimiser: AdamW,
    best: Map<string, Float32Array>,
  ): Promise<TrainingPosition | undefined> {
    const last = (await this.#names()).at(-1);
    if (last === undefined) return undefined;
    const folder = join(this.#folder, last);
    const position = positionSchema.parse(JSON.parse(await readFile(join(folder, 'position.json'), 'utf8')));
    if (position.settings !== this.#settings) throw new OtherTrainingError(this.#folder);
    await readInto(join(folder, 'values.safetensors'), model.values);
    model.changed(optimiser.moments.keys());
    optimiser.steps = position.step;
    await readInto(join(folder, 'first.safetensors'), parts(optimiser, 'first'));
    await readInto(join(folder, 'second.safetensors'), parts(optimiser, 'second'));
    if (position.hasBest) {
      for (const name of optimiser.moments.keys()) best.set(name, model.values.get(name)!.slice());
      await readInto(join(folder, 'best.safetensors'), best);
    }
    return position;
  }

  /** Keeps where a training stands. @param best numbers of the best epoch; empty where there is none */
  async save(
    model: TrainableModel,
    optimiser: AdamW,
    best: Values,
    position: Pick<TrainingPosition, 'best'>,
  ): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const name = `step-${String(optimiser.steps).padStart(9, '0')}`;
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
      await write('first', parts(optimiser, 'first'));
      await write('second', parts(optimiser, 'second'));
      if (best.size > 0) await write('best', best);
      await writeFile(join(folder, 'position.json'), `${JSON.stringify(whole)}\n`, { flush: true });
    });
    for (const each of await this.#names()) {
      if (each !== name) await rm(join(this.#folder, each), { recursive: true });
    }
  }

  /** Forgets what another training left. */
  async clear(): Promise<void> {
    for (const name of await this.#names()) await rm(join(this.#folder, name), { recursive: true });
  }

  /** Of whole checkpoints, the oldest first. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => NAME.test(name)).sort();
  }
}

function parts(optimiser: AdamW, part: 'first' | 'second'): Values {
  return new Map(Array.from(optimiser.moments, ([name, moments]) => [name, moments[part]]));
}

async function readInto(path: string, values: Values): Promise<void> {
  const tensors = await openWeightsFile(path);
  try {
    for (const name of tensors.names()) values.get(name)?.set(await tensors.read(name));
  } finally {
    await tensors.close();
  }
}
