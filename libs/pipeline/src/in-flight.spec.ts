import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { inFlight, orAborted, untilAborted } from './in-flight.js';

async function* numbers(count: number, read: number[] = []): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) {
    read.push(number);
    yield number;
  }
}

it('works on each item once, never on more than the limit, and reads no further', async () => {
  const read: number[] = [];
  const done: number[] = [];
  let active = 0;
  await inFlight(numbers(20, read), 3, new AbortController(), async (number) => {
    expect((active += 1)).toBeLessThanOrEqual(3);
    expect(read.length - done.length).toBeLessThanOrEqual(3);
    await sleep((number * 7) % 4);
    active -= 1;
    done.push(number);
  });
  expect(done.sort((a, b) => a - b)).toEqual(await Readable.from(numbers(20)).toArray());
});

it('draws no warning from many that wait for the signal', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const stop = new AbortController();
  await inFlight(untilAborted(numbers(40), stop.signal), 32, stop, () => orAborted(sleep(5), stop.signal));
  await sleep(5);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

it('throws the first error, after the others have settled, and begins nothing more', async () => {
  let settled = 0;
  let begun = 0;
  const work = async (number: number): Promise<void> => {
    begun += 1;
    await sleep(number === 1 ? 1 : 20);
    settled += 1;
    if (number <= 1) throw new Error(`of ${number}`);
  };
  await expect(inFlight(numbers(20), 4, new AbortController(), work)).rejects.toThrow('of 1');
  expect(begun).toBe(4);
  expect(settled).toBe(4);
});

it('throws the error of the source', async () => {
  const broken = (async function* () {
    yield 1;
    throw new Error('unreadable');
  })();
  await expect(inFlight(broken, 4, new AbortController(), () => sleep(1))).rejects.toThrow('unreadable');
});

it('leaves a source that is stuck when the signal aborts', async () => {
  const stop = new AbortController();
  const stuck = (async function* () {
    yield 1;
    await new Promise<never>(() => undefined);
  })();
  const seen: number[] = [];
  const reading = inFlight(untilAborted(stuck, stop.signal), 4, stop, async (number) => {
    seen.push(number);
    stop.abort(new Error('enough'));
  });
  await expect(reading).rejects.toThrow('enough');
  expect(seen).toEqual([1]);
});

it('passes on what came before the abort, and swallows what comes after', async () => {
  const stop = new AbortController();
  expect(await orAborted(Promise.resolve(7), stop.signal)).toBe(7);
  const late = orAborted(
    sleep(5).then(() => Promise.reject(new Error('late'))),
    stop.signal,
  );
  stop.abort(new Error('enough'));
  await expect(late).rejects.toThrow('enough');
  await sleep(10);
});
