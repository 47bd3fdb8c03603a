/** A model of three stages, as small as it can be: a row leaves where the toy labels say, and its activations are its ids. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StageInput, StageOutcome } from '#pipeline/engine/label-task.js';
import { selectRows } from '#pipeline/engine/select-rows.js';
import type { StageRows } from '#pipeline/fleet/policy-engines.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { toyLabels, toyLabelsOf } from '../toy-ports.js';

export const toyLayout: ModelLayout = {
  labels: toyLabels,
  task: 'single',
  hiddenSize: 1,
  activation: 'float32',
  stages: [{ exits: [0] }, { exits: [1, 2], layers: [1, 2] }, { exits: [3, 4], layers: [3, 4] }],
};

/** Texts that this model cannot take begin so; they make it throw, or kill its process. */
export const THROWS = 'throws ';
export const KILLS = 'kills ';

const startsWith = (ids: Int32Array, word: string): boolean =>
  word.length <= ids.length &&
  Array.from(word).every((character, at) => ids[at] === character.codePointAt(0));

export class ToyStages implements StageRows {
  readonly #lastStage: number;
  readonly #pauseMs: number;

  /** @param pauseMs that a call takes */
  constructor(lastStage: number, pauseMs: number) {
    this.#lastStage = lastStage;
    this.#pauseMs = pauseMs;
  }

  async run({ tokens, entry }: StageInput): Promise<StageOutcome> {
    await sleep(this.#pauseMs);
    if (entry !== undefined && entry.hidden.some((value, at) => value !== tokens.ids[at])) {
      throw new Error('These are the activations of other rows.');
    }
    const labels = toyLabelsOf(tokens);
    const survivors: number[] = [];
    for (let row = 0; row < labels.rows; row += 1) {
      const ids = tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1]);
      if (startsWith(ids, KILLS)) process.kill(process.pid, 'SIGKILL');
      if (startsWith(ids, THROWS)) throw new Error('no embedding of this');
      const stage = toyLayout.stages.findIndex(({ exits }) => exits.includes(labels.exitLayer[row]!));
      if (stage > this.#lastStage) survivors.push(row);
      else if (stage < (entry?.stage ?? 0)) throw new Error(`Row ${row} left before stage ${stage + 1}.`);
    }
    const hidden = survivors.map((row) => Float32Array.from(selectRows(tokens, [row]).ids));
    return { labels, survivors: { rows: Int32Array.from(survivors), hidden } };
  }
}
