/** A process that dies at any step of the delivery protocol leaves a run that comes to the same bytes. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { feederSteps, workerSteps } from '#pipeline/fleet/fleet-steps.js';
import { toyCorpusText } from '../toy-ports.js';
import { outcomeOf } from '../toy-run.js';
import { FleetScene, twoSpans } from './fleet-scene.js';

let scene: FleetScene;
beforeAll(async () => {
  scene = await FleetScene.open(toyCorpusText(115));
});
afterAll(() => scene.close());
beforeEach(() => scene.begin());
afterEach(() => scene.end());

describe('a worker killed', () => {
  it.each(workerSteps)('at %s', async (step) => {
    const [first, last] = twoSpans;
    const isLate = ['activations-fetched', 'sent-back', 'activations-dropped'].includes(step);
    scene.work(isLate ? first : last);
    const dying = { ...(isLate ? last : first), loses: step === 'sent-back' ? 2 : 0 };
    const victim = await scene.workerProcess(dying, step, 2);
    await scene.runToTheSame(await scene.corpusFolder(), async () => {
      expect(await once(victim, 'exit')).toEqual([null, 'SIGKILL']);
      scene.work(isLate ? last : first);
    });
  });
});

describe('who feeds the run killed, and started again,', () => {
  it.each([...feederSteps, 'planned', 'plan-synced', 'ok-renamed', 'merge-written'])(
    'at %s',
    async (step) => {
      for (const each of twoSpans) scene.work(each);
      const folder = await scene.corpusFolder();
      expect(await scene.feederProcess(folder, step, step === 'merge-written' ? 1 : 3)).toBe('SIGKILL');
      expect(await scene.feederProcess(folder)).toBe(0);
      expect(await outcomeOf(folder)).toEqual(scene.undisturbed);
    },
  );

  it('after any number of steps, ten times', async () => {
    for (const each of twoSpans) scene.work(each);
    const folder = await scene.corpusFolder();
    for (let time = 0; time < 10; time += 1) {
      expect(await scene.feederProcess(folder, 'any', 3 + ((time * 5) % 7))).toBe('SIGKILL');
    }
    expect(await scene.feederProcess(folder)).toBe(0);
    expect(await outcomeOf(folder)).toEqual(scene.undisturbed);
  });
});
