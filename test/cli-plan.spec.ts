/** `sluice plan` as users start it, on the bundle that the repository carries. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { CapacityPlan } from '../apps/cli/src/plan/capacity-plan.js';
import { jsonLines, mailSample } from './mail-sample.js';
import type { CliEnd } from './run-cli.js';
import { runCli, spamBundle } from './run-cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-plan-'));
  await writeFile(join(folder, 'mails.jsonl'), jsonLines(await mailSample(200, 200)));
  // Measured once; every other test plans from it.
  const { end, stderr } = await plan(
    '--pilot',
    'mails.jsonl',
    '--save-pilot',
    'pilot.json',
    '--speed',
    '0.03',
  );
  expect(end, stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function plan(...options: string[]): Promise<CliEnd> {
  const goal = options.some((option) => option === '--replicas' || option === '--target')
    ? []
    : ['--target', '8h'];
  const rows = options.includes('--rows') ? [] : ['--rows', '100e6'];
  return runCli(['plan', '--model', spamBundle, ...rows, ...goal, ...options], { cwd: folder });
}

async function json(...options: string[]): Promise<CapacityPlan> {
  const { end, stdout, stderr } = await plan(...options, '--json');
  expect({ end, stderr }).toEqual({ end: 0, stderr: '' });
  return JSON.parse(stdout);
}

const workers = ({ stages }: CapacityPlan): number => stages.reduce((sum, { replicas }) => sum + replicas, 0);

async function patchOf(file: string): Promise<{ kind: string; spec: unknown }[]> {
  const documents = parseAllDocuments(await readFile(join(folder, file), 'utf8'));
  return documents.map((document): { kind: string; spec: unknown } => document.toJSON());
}

const saved = ['--pilot', 'pilot.json'] as const;

describe('sluice plan', () => {
  it('shows examples', async () => {
    const { stdout } = await runCli(['plan', '--help']);
    expect(stdout).toMatch(/\nExamples:\n {2}\$ sluice plan --rows 100e6 /);
  });

  it('says which machine its times are of, and shows a table', async () => {
    const { end, stdout, stderr } = await plan(...saved, '--price', '0.04/h');
    expect(end, stderr).toBe(0);
    expect(stdout).toMatch(/^100,000,000 rows by spam within 8 h 00 min, 15\.0 % of it kept free\n/);
    expect(stdout).toMatch(/\nstage +layers +rows +share \(95 %\) +ms a row +workers +busy .* cost\n/);
    expect(stdout).toMatch(/\n +1 +embeddings +100,000,000 +100\.0 % /);
    expect(stdout).toMatch(/\n +3 +3–6 /);
    expect(stdout).toMatch(/\nFinished after \d.*: start 1 min 00 s, labelling .*, merge /);
    expect(stdout).toMatch(/ worker-hours cost \d.* for a million rows\n/);
    expect(stdout).toMatch(/\nWhere rows leave: the first rows of mails\.jsonl \(200 rows, /);
    expect(stdout).toMatch(/\nStage times: measured 2\d{3}-\d\d-\d\d on .* onnxruntime /);
  });

  it('finishes in time, with the time that was to be kept free', async () => {
    const result = await json(...saved, '--price', '0.04/h');
    expect(result.finishSeconds).toBeLessThanOrEqual(8 * 3600 * 0.85);
    const { start, feed, tail, merge } = result.phases;
    expect(start + feed + tail + merge).toBeCloseTo(result.finishSeconds, 3);
    const shares = result.stages.map(({ reach }) => reach.share);
    expect(shares[0]).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    expect(shares[1]).toBeGreaterThan(0);
    expect(shares[1]).toBeLessThan(0.5);
    const hours =
      result.stages.reduce((sum, stage) => sum + stage.replicas, 0) * (result.finishSeconds / 3600);
    expect(result.workerHours).toBeCloseTo(hours, 6);
    expect(result.cost).toBeCloseTo(hours * 0.04, 6);
    expect(result.costPerMillionRows).toBeCloseTo((hours * 0.04) / 100, 8);
    expect(result.redis.queueMaxMemory).toBeGreaterThan(result.redis.queueBytes / 0.6);
  });

  it('is the same each time, and takes its shares from what the pilot counted', async () => {
    const [one, two] = [await json(...saved), await json(...saved)];
    expect(two).toEqual(one);
    const labelled = await runCli(
      ['label', 'mails.jsonl', '--model', spamBundle, '--speed', '0.03', '--out', 'out.jsonl', '--json'],
      { cwd: folder },
    );
    const { exits, accepted }: { exits: { layer: number; rows: number }[]; accepted: number } = JSON.parse(
      labelled.stdout,
    );
    const first = exits.find(({ layer }) => layer === 0)?.rows ?? 0;
    expect(one.stages[1]!.reach).toMatchObject({ part: accepted - first, whole: accepted });
    // The same from the run's directory, whose rows are these rows.
    const counted = await json('--pilot', 'out.jsonl.run', '--rows', '1e6');
    expect(counted.stages.map(({ reach }) => reach)).toEqual(one.stages.map(({ reach }) => reach));
    expect(counted.pilot.pilot.tokensPerRow).toBeCloseTo(one.pilot.pilot.tokensPerRow, 9);
    expect(counted.policy).toEqual(one.policy);
  });

  it('needs fewer workers where they are faster or there is more time', async () => {
    const rows = ['--rows', '4e8'];
    const some = workers(await json(...saved, ...rows));
    expect(workers(await json(...saved, ...rows, '--worker-speed', '3'))).toBeLessThan(0.6 * some);
    expect(workers(await json(...saved, ...rows, '--target', '2d'))).toBeLessThan(0.6 * some);
  });

  it('plans for every row through every layer where there is no pilot', async () => {
    const full = await json('--rows', '10e6');
    expect(full.stages.map(({ reach }) => reach.share)).toEqual([1, 1, 1]);
    expect(full.stages[2]!.replicas).toBeGreaterThan(1);
  });

  it('says when given workers would be done', async () => {
    const [few, more] = [
      await json(...saved, '--replicas', '1,1,1'),
      await json(...saved, '--replicas', '4'),
    ];
    expect(more.stages.map(({ replicas }) => replicas)).toEqual([4, 4, 4]);
    expect(few.targetSeconds).toBeUndefined();
    expect(few.finishSeconds).toBeGreaterThan(2 * more.finishSeconds);
  });

  it.each([
    ['deployment', 'apps/v1', 'Deployment', ['replicas']],
    ['keda', 'keda.sh/v1alpha1', 'ScaledObject', ['minReplicaCount', 'maxReplicaCount']],
    ['hpa', 'autoscaling/v2', 'HorizontalPodAutoscaler', ['minReplicas', 'maxReplicas']],
  ])('writes a patch for kustomize (%s)', async (patchKind, apiVersion, kind, fields) => {
    const file = `${patchKind}.yaml`;
    const { stages, settings } = await json(...saved, '--patch', file, '--patch-kind', patchKind);
    expect(await patchOf(file)).toEqual(
      stages.map(({ stage, replicas }) => ({
        apiVersion,
        kind,
        metadata: { name: `sluice-worker-stage-${stage}` },
        spec: Object.fromEntries(fields.map((field) => [field, replicas])),
      })),
    );
    const text = await readFile(join(folder, file), 'utf8');
    for (const [name, value] of Object.entries(settings)) expect(text).toContain(`\n#   ${name}=${value}\n`);
  });

  it.each(['deployment', 'keda'])('gives workers the threads of the plan (%s)', async (patchKind) => {
    const file = `threads-${patchKind}.yaml`;
    await json(...saved, '--threads', '3', '--cores', '4', '--patch', file, '--patch-kind', patchKind);
    const deployments = (await patchOf(file)).filter(({ kind }) => kind === 'Deployment');
    const container = {
      name: 'worker',
      env: [{ name: 'SLUICE_WORKER_THREADS', value: '3' }],
      resources: { requests: { cpu: '4' } },
    };
    expect(deployments.map(({ spec }) => spec)).toEqual(
      Array.from({ length: 3 }, () =>
        expect.objectContaining({ template: { spec: { containers: [container] } } }),
      ),
    );
  });

  it('cuts the corpus into runs of as many rows as a run may have', async () => {
    const many = [...saved, '--rows', '2.5e9', '--replicas', '20'];
    expect(await json(...many)).toMatchObject({ producers: { count: 1 }, runs: 3 });
    const { stdout } = await plan(...many);
    expect(stdout).toMatch(/\nA run may not have so many rows \(producer\.limits\.rows\): .* into 3 runs/);
    expect(stdout).not.toContain('One producer cannot feed');
    const { stages } = await json(...saved, '--rows', '1e9', '--replicas', '20');
    for (const { rows } of stages) expect(Number.isInteger(rows)).toBe(true);
  });

  it.each([
    [['--rows', '1.5'], /argument '1\.5' is invalid\. Expected a whole number from 1/],
    [['--target', 'soon'], /Expected a time such as 8h/],
    [['--target', '0h'], /Expected a time such as 8h/],
    [['--price', '4'], /Expected the price of a worker for an hour such as 0\.04\/h/],
    [['--price', '1/h,2/h'], /--price takes one value, or one for each of the model's 3 stages; got 2/],
    [['--worker-speed', '0'], /Expected a number above 0/],
    [['--headroom', '1'], /--headroom 1 leaves no time/],
    [['--threads', '4', '--cores', '2'], /needs at least as many --cores; got 2/],
    [['--target', '8h', '--replicas', '1'], /cannot be used with option/],
    [['--pilot', 'broken.json'], /broken\.json is no report of a run that labelled rows: .*tokens/],
    [['--pilot', 'nowhere.jsonl'], /nowhere\.jsonl/],
    [['--pilot', 'pilot.json', '--target', '30s'], /No number of workers finishes within/],
  ])('refuses %j', async (options, message) => {
    await writeFile(join(folder, 'broken.json'), '{"bundle": "x", "accepted": 3}');
    const { end, stdout, stderr } = await plan(...options);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect([1, 2]).toContain(end);
  });

  it('wants to know when, or with what', async () => {
    const { end, stderr } = await runCli(['plan', '--rows', '5', '--model', spamBundle]);
    expect(stderr).toMatch(/Say when it shall be done \(--target 8h\), or with which workers/);
    expect(end).toBe(2);
  });
});
