/**
 * The faults of the fleet, long: hundreds of kills in one run, every crash point many times, recovery with the locks that
 * services have. Writes what it saw to docs/faults.md.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { feederSteps, workerSteps } from '#pipeline/fleet/fleet-steps.js';
import { runSteps } from '#pipeline/run-directory/run-steps.js';
import { projectFolder } from '../project-folder.js';
import { toyCorpusText } from '../toy-ports.js';
import { outcomeOf } from '../toy-run.js';
import { FleetScene, twoSpans } from './fleet-scene.js';

const TIMES = 20;
const KILLS = 200;
const ROWS = 100_000;

interface Row {
  readonly fault: string;
  readonly times: string;
  readonly seen: string;
}

const rows: Row[] = [];
let scene: FleetScene | undefined;
beforeEach(async () => {
  await scene?.begin();
});
afterEach(() => scene?.end());
afterAll(async () => {
  await scene?.close();
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  const lines = [
    '# Faults, the long way',
    '',
    `Written by \`npm run test:faults\` on ${new Date().toISOString().slice(0, 10)} at commit ${commit}. Real processes, a real Redis, SIGKILL; a model of`,
    'three stages that is a function of the text, the first two on one kind of worker and the last on another. After each, the',
    'output, the rejects, the plan, the report and the names of all files are those of an undisturbed run.',
    '',
    '| fault | times | seen |',
    '| --- | --- | --- |',
    ...rows.map(({ fault, times, seen }) => `| ${fault} | ${times} | ${seen} |`),
  ];
  await writeFile(join(projectFolder, 'docs/faults.md'), `${lines.join('\n')}\n`);
});

async function use(corpus: string, pace?: Parameters<typeof FleetScene.open>[1]): Promise<FleetScene> {
  await scene?.end();
  await scene?.close();
  scene = await FleetScene.open(corpus, pace);
  await scene.begin();
  return scene;
}

const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const [median, least, most] = [sorted[sorted.length >> 1]!, sorted[0]!, sorted.at(-1)!];
  return `median ${median.toFixed(1)} s (${least.toFixed(1)}–${most.toFixed(1)})`;
};

/** A worker that says each step as it reaches it. */
interface Victim {
  readonly process: ChildProcess;
  step: string;
}

it(`${KILLS} workers killed in one run of ${ROWS} rows`, async () => {
  const here = await use(toyCorpusText(ROWS), { chunkRows: 100, chunksInFlight: 32 });
  const options = twoSpans.map((each) => ({ ...each, pauseMs: 200, tellsSteps: true }));
  const start = async (which: number): Promise<Victim> => {
    const victim: Victim = { process: await here.workerProcess(options[which]!), step: 'waiting' };
    victim.process.stdout!.on('data', (lines: Buffer) => {
      victim.step = lines.toString().trim().split('\n').at(-1)!;
    });
    return victim;
  };
  const victims = [await start(0), await start(1), await start(0), await start(1)];
  const hit = new Map<string, number>();
  let kills = 0;
  const begun = performance.now();
  await here.runToTheSame(await here.corpusFolder(), async (isOver) => {
    while (!isOver()) {
      await sleep(250);
      if (isOver() || kills >= KILLS) continue;
      const index = kills % victims.length;
      const victim = victims[index]!;
      victim.process.kill('SIGKILL');
      await once(victim.process, 'exit');
      hit.set(victim.step, (hit.get(victim.step) ?? 0) + 1);
      kills += 1;
      victims[index] = await start(index % 2);
    }
  });
  const steps = [...hit].sort(([, a], [, b]) => b - a).map(([step, count]) => `${step} ${count}`);
  rows.push({
    fault: `workers killed at random in one run of ${ROWS} rows`,
    times: String(kills),
    seen: `${Math.round((performance.now() - begun) / 1000)} s; last step before the kill: ${steps.join(', ')}`,
  });
  expect(kills).toBeGreaterThanOrEqual(KILLS);
});

describe('every crash point', () => {
  it.each(workerSteps)(`a worker at %s, ${TIMES} times`, async (step) => {
    const here = await use(toyCorpusText(115));
    const [first, last] = twoSpans;
    const isLate = ['activations-fetched', 'sent-back', 'activations-dropped'].includes(step);
    const seconds: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      here.work(isLate ? first : last);
      const dying = { ...(isLate ? last : first), loses: step === 'sent-back' ? 6 : 0 };
      const victim = await here.workerProcess(dying, step, 1 + (time % 5));
      await here.runToTheSame(await here.corpusFolder(), async () => {
        expect(await once(victim, 'exit')).toEqual([null, 'SIGKILL']);
        const killed = performance.now();
        const next = here.work(isLate ? last : first);
        while (next.begun.every((jobs) => jobs === 0)) await sleep(20);
        seconds.push((performance.now() - killed) / 1000);
      });
      await here.end();
      await here.begin();
    }
    rows.push({
      fault: `a worker dies at ${step}`,
      times: String(TIMES),
      seen: `next job after ${spread(seconds)}, locks of 1 s`,
    });
  });

  it.each([...feederSteps, ...runSteps])(`who feeds the run at %s, ${TIMES} times`, async (step) => {
    const here = await use(toyCorpusText(115));
    const ofRun = runSteps.findIndex((each) => each === step);
    const isLate = ofRun === 0 || ofRun > runSteps.indexOf('ok-renamed');
    for (let time = 0; time < TIMES; time += 1) {
      for (const each of twoSpans) here.work(each);
      const folder = await here.corpusFolder();
      expect(await here.feederProcess(folder, step, isLate ? 1 : 1 + (time % 5))).toBe('SIGKILL');
      expect(await here.feederProcess(folder)).toBe(0);
      expect(await outcomeOf(folder)).toEqual(here.undisturbed);
      await here.end();
      await here.begin();
    }
    rows.push({
      fault: `who feeds the run dies at ${step}`,
      times: String(TIMES),
      seen: 'the next session finishes',
    });
  });
});

describe('recovery', () => {
  it('from a killed worker, with the locks that services have', async () => {
    const here = await use(toyCorpusText(95));
    const seconds: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      // It ends none of the jobs that it takes.
      const victim = await here.workerProcess({ lockMs: 30_000, pauseMs: 600_000, tellsSteps: true });
      let killed = 0;
      await here.runToTheSame(await here.corpusFolder(), async () => {
        await once(victim.stdout!, 'data');
        here.work({ lockMs: 30_000 });
        victim.kill('SIGKILL');
        killed = performance.now();
        await once(victim, 'exit');
      });
      seconds.push((performance.now() - killed) / 1000);
      await here.end();
      await here.begin();
    }
    rows.push({
      fault: 'a worker killed, locks of 30 s',
      times: '3',
      seen: `its jobs were done after ${spread(seconds)}`,
    });
    // Not before its locks have run out.
    expect(Math.min(...seconds)).toBeGreaterThan(29);
    expect(Math.max(...seconds)).toBeLessThan(60);
  });

  it.each([3, 10, 60])('from a Redis that is away for %i s', async (away) => {
    const here = await use(toyCorpusText(595));
    const workers = twoSpans.map((each) => here.work({ ...each, pauseMs: 60 }));
    let back = 0;
    let began = 0;
    await here.runToTheSame(await here.corpusFolder(), async () => {
      await sleep(500);
      await here.redis.kill();
      await sleep(away * 1000);
      const before = workers.map(({ begun }) => begun.reduce((a, b) => a + b, 0));
      await here.redis.restart();
      back = performance.now();
      while (workers.every(({ begun }, index) => begun.reduce((a, b) => a + b, 0) === before[index]))
        await sleep(20);
      began = performance.now();
    });
    rows.push({
      fault: `Redis killed, and away for ${away} s`,
      times: '1',
      seen: `workers take jobs ${((began - back) / 1000).toFixed(1)} s after it answers`,
    });
    expect(began - back).toBeLessThan(30_000);
  });

  it(`from a Redis that is flushed, ${TIMES} times in one run`, async () => {
    const here = await use(toyCorpusText(2995));
    // Slow enough that there is something left to lose each time.
    for (const each of twoSpans) here.work({ ...each, pauseMs: 100 });
    let flushes = 0;
    await here.runToTheSame(await here.corpusFolder(), async (isOver) => {
      const admin = new Redis(here.redis.url);
      while (!isOver() && flushes < TIMES) {
        await sleep(400);
        await admin.flushall();
        flushes += 1;
      }
      admin.disconnect();
    });
    rows.push({
      fault: 'everything in Redis lost, in one run',
      times: String(flushes),
      seen: `${here.fleet.retried.length} chunks given again`,
    });
    expect(flushes).toBe(TIMES);
  });
});
