import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { THROWS, toyLayout, ToyStages } from '../../../../test/fleet/toy-stages.js';
import { ToyTokenizer, toyLabels } from '../../../../test/toy-ports.js';
import type { TokenColumns } from '../columns.js';
import type { StageInput, StageOutcome } from '../engine/label-task.js';
import { selectRows } from '../engine/select-rows.js';
import type { StageRows } from './policy-engines.js';
import { RememberingStages } from './remembering-stages.js';
import { RowMemories } from './row-memories.js';

const AMPLE = 2 ** 20;
const tokenizer = new ToyTokenizer();

/** Says which texts it was given to run. */
class TellingStages implements StageRows {
  readonly ran: string[] = [];
  readonly #stages: ToyStages;

  constructor(lastStage: number) {
    this.#stages = new ToyStages(lastStage, 0);
  }

  run(input: StageInput): Promise<StageOutcome> {
    this.ran.push(...textsOf(input.tokens));
    return this.#stages.run(input);
  }
}

const textsOf = ({ ids, offsets }: TokenColumns): string[] =>
  Array.from({ length: offsets.length - 1 }, (_, row) =>
    String.fromCodePoint(...ids.subarray(offsets[row], offsets[row + 1])),
  );

function remembering(
  lastStage: number,
  bytes = AMPLE,
): { stages: RememberingStages; inner: TellingStages; repeated: number[] } {
  const inner = new TellingStages(lastStage);
  const repeated = toyLayout.stages.map(() => 0);
  const stages = new RememberingStages(
    inner,
    new RowMemories(bytes, toyLabels.length),
    toyLabels.length,
    (stage, rows) => (repeated[stage]! += rows),
  );
  return { stages, inner, repeated };
}

/** What is said of each row: its answer, or the activations with which it goes on. */
function saidOf({ labels, survivors }: StageOutcome): unknown[] {
  const { classes, label, exitLayer, uncertainty, probabilities } = labels;
  const said = Array.from<unknown, unknown>(label, (each, row) => [
    each,
    exitLayer[row],
    uncertainty[row],
    [...probabilities.subarray(row * classes, (row + 1) * classes)],
  ]);
  for (const [at, row] of survivors.rows.entries()) said[row] = [...survivors.hidden[at]!];
  return said;
}

/** Few characters and short texts, so that texts repeat, and some are the beginning of others. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });
const calls = fc.array(fc.array(text, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });

describe('stages that remember', () => {
  it.each([0, 1, 2])('say of every row what the stages up to %i say', (lastStage) =>
    fc.assert(
      fc.asyncProperty(calls, fc.boolean(), fc.constantFrom(AMPLE, 1), async (texts, together, bytes) => {
        const { stages } = remembering(lastStage, bytes);
        const plain = new ToyStages(lastStage, 0);
        let before: Promise<unknown> = Promise.resolve();
        const running = texts.map(async (each) => {
          const tokens = await tokenizer.tokenize(each);
          const expected = saidOf(await plain.run({ tokens }));
          if (!together) await before;
          const outcome = stages.run({ tokens });
          before = outcome;
          expect(saidOf(await outcome)).toEqual(expected);
        });
        await Promise.all(running);
      }),
    ),
  );

  it.each(['one after the other', 'at once'])(
    'run rows that leave once, of calls %s, and count the others',
    (how) =>
      fc.assert(
        fc.asyncProperty(calls, async (texts) => {
          const { stages, inner, repeated } = remembering(2);
          const running: Promise<unknown>[] = [];
          for (const each of texts) {
            running.push(stages.run({ tokens: await tokenizer.tokenize(each) }));
            if (how !== 'at once') await running.at(-1);
          }
          await Promise.all(running);
          const all = texts.flat();
          expect(inner.ran.toSorted()).toEqual([...new Set(all)].toSorted());
          expect(repeated).toEqual([all.length - inner.ran.length, 0, 0]);
        }),
      ),
  );

  it('take rows into a later stage with their activations, and run there once those that leave', () =>
    fc.assert(
      fc.asyncProperty(calls, async (texts) => {
        const { stages, inner, repeated } = remembering(1);
        const left: string[] = [];
        let entered = 0;
        for (const each of texts) {
          const all = await tokenizer.tokenize(each);
          const { survivors } = await new ToyStages(0, 0).run({ tokens: all });
          const tokens = selectRows(all, [...survivors.rows]);
          const entry = { stage: 1, hidden: Float32Array.from(tokens.ids) };
          const outcome = await stages.run({ tokens, entry });
          expect(saidOf(outcome)).toEqual(saidOf(await new ToyStages(1, 0).run({ tokens, entry })));
          const goesOn = new Set(outcome.survivors.rows);
          left.push(...textsOf(tokens).filter((_, row) => !goesOn.has(row)));
          entered += survivors.rows.length;
        }
        const distinct = new Set(left);
        expect(inner.ran.filter((each) => distinct.has(each))).toHaveLength(distinct.size);
        expect(repeated).toEqual([0, entered - inner.ran.length, 0]);
      }),
    ));

  it('run again the rows of a call that failed', async () => {
    const { stages, inner } = remembering(2);
    const bad = await tokenizer.tokenize(['abc', `${THROWS}x`]);
    await expect(stages.run({ tokens: bad })).rejects.toThrow('no embedding of this');
    inner.ran.length = 0;
    const tokens = await tokenizer.tokenize(['abc', 'abc']);
    const { labels } = await stages.run({ tokens });
    expect(inner.ran).toEqual(['abc']);
    expect(labels.probabilities.subarray(0, 3)).toEqual(labels.probabilities.subarray(3));
  });

  it('run rows themselves where the call that ran them comes to nothing', async () => {
    let fail!: (error: Error) => void;
    const ran: string[][] = [];
    const plain = new ToyStages(0, 0);
    const failing: StageRows = {
      run: (input) => {
        ran.push(textsOf(input.tokens));
        return ran.length === 1 ? new Promise((_, reject) => (fail = reject)) : plain.run(input);
      },
    };
    const stages = new RememberingStages(
      failing,
      new RowMemories(AMPLE, toyLabels.length),
      toyLabels.length,
      () => undefined,
    );
    const texts = ['a', 'b', 'c', 'd', 'b', 'aa'];
    const givenUp = stages.run({ tokens: await tokenizer.tokenize(['b', 'c', 'cc']) });
    const tokens = await tokenizer.tokenize(texts);
    const stop = new AbortController();
    const [found, stopped] = [stages.run({ tokens }), stages.run({ tokens, signal: stop.signal })];
    stop.abort(new Error('nobody waits'));
    fail(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    await expect(stopped).rejects.toThrow('nobody waits');
    expect(saidOf(await found)).toEqual(saidOf(await plain.run({ tokens })));
    expect(ran.map((each) => each.join())).toEqual(['b,c,cc', 'a,d,aa', 'b,c']);
  });

  it('leave rows that somebody waits for alone', async () => {
    const { stages, inner } = remembering(2);
    const tokens = await tokenizer.tokenize(['abc', 'abc']);
    await stages.run({ tokens, urgent: true });
    await stages.run({ tokens, urgent: true });
    expect(inner.ran).toEqual(['abc', 'abc', 'abc', 'abc']);
  });

  it('of the two policies that were used last remember', async () => {
    const memories = new RowMemories(AMPLE, toyLabels.length);
    const tokens = await tokenizer.tokenize(['abc']);
    const each = [1, 2, 3].map(() => {
      const inner = new TellingStages(2);
      return { inner, stages: new RememberingStages(inner, memories, toyLabels.length, () => undefined) };
    });
    for (const { stages } of each) await stages.run({ tokens });
    for (const { stages } of each.toReversed()) await stages.run({ tokens });
    expect(each.map(({ inner }) => inner.ran.length)).toEqual([2, 1, 1]);
  });
});
