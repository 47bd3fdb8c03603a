import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunView } from '#run/run-view.js';
import { isUnderWay } from '#run/run-view.js';

/** A run of a fleet that did not finish. */
class FleetRunError extends Error {
  override readonly name = 'FleetRunError';
}

/** How soon an address answered, ms. */
export interface Answers {
  readonly address: string;
  readonly milliseconds: number[];
}

const ASK_EVERY_MS = 100;
const LOOK_EVERY_MS = 200;

/** Submits a corpus and waits for its end. @param during hears of the run as it goes on */
export async function runOnFleet(
  api: string,
  request: object,
  during: (view: RunView) => Promise<void> = () => Promise.resolve(),
): Promise<RunView> {
  const answer = await fetch(`${api}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  let view: RunView = JSON.parse(await answer.text());
  if (answer.status !== 201) throw new FleetRunError(JSON.stringify(view));
  while (isUnderWay(view)) {
    await sleep(LOOK_EVERY_MS);
    view = JSON.parse(await (await fetch(`${api}/v1/runs/${view.id}`)).text());
    await during(view);
  }
  if (view.phase !== 'finished') throw new FleetRunError(`Run ${view.id} is ${view.phase}: ${view.error}`);
  return view;
}

/** Asks addresses again and again until it is told to stop. */
export async function askAgainAndAgain(addresses: readonly string[], stop: AbortSignal): Promise<Answers[]> {
  const answers = addresses.map((address): Answers => ({ address, milliseconds: [] }));
  await Promise.all(
    answers.map(async ({ address, milliseconds }) => {
      while (!stop.aborted) {
        const asked = performance.now();
        await (await fetch(address)).arrayBuffer();
        milliseconds.push(performance.now() - asked);
        await sleep(ASK_EVERY_MS);
      }
    }),
  );
  return answers;
}

/** Sum and count of a histogram of /metrics. */
export async function histogramOf(
  admin: string,
  name: string,
  stage: number,
): Promise<{ readonly sum: number; readonly count: number }> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const figure = (part: string): number =>
    Number(new RegExp(`^sluice_${name}_${part}\\{stage="${stage}"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { sum: figure('sum'), count: figure('count') };
}

/** Lines of an output, to compare. */
export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
