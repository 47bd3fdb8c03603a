/** `sluice evaluate` foretells what `sluice label` does. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonLines, mailSample } from './mail-sample.js';
import { runCli, spamBundle } from './run-cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-evaluate-'));
  const mails = (await mailSample(200, 120)).map((mail, index) =>
    index % 50 === 7 ? { ...mail, label: 'eggs' } : mail,
  );
  const [first, ...others] = mails;
  const broken = `${jsonLines([first!])}{"text": 7}\nno json\n${jsonLines(others)}`;
  await writeFile(join(folder, 'mails.jsonl'), broken);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quality = z.object({
  rows: z.number(),
  unknownLabels: z.number(),
  accuracy: z.number(),
  macroF1: z.number(),
  classes: z.array(z.object({ label: z.string(), precision: z.number(), recall: z.number() })),
  confusion: z.array(z.array(z.number())),
});
const counts = {
  rows: z.number(),
  rejected: z.number(),
  rejectedByReason: z.record(z.string(), z.number()),
  truncated: z.number(),
  tokens: z.number(),
};
const exits = z.array(z.object({ layer: z.number(), rows: z.number(), share: z.number() }));
const reportSchema = z.object({ ...counts, exits, meanLayers: z.number(), quality });
const evaluationSchema = z.object({
  ...counts,
  policies: z.array(
    z.object({
      name: z.string(),
      exits,
      meanLayers: z.number(),
      quality,
      agreement: z.object({ part: z.number(), whole: z.number(), share: z.number() }),
      work: z.object({ saved: z.number() }),
      positive: z.object({ label: z.string(), precision: z.object({ share: z.number() }) }),
      textsPerSecond: z.object({ median: z.number() }).optional(),
    }),
  ),
});

const model = ['--model', spamBundle, '--label-field', 'label'];

async function evaluate(...options: string[]): Promise<string> {
  const { end, stdout, stderr } = await runCli(['evaluate', 'mails.jsonl', ...model, ...options], {
    cwd: folder,
  });
  expect(end, stderr).toBe(0);
  return stdout;
}

/** Names and contents, sorted. */
async function filesIn(directory: string): Promise<[string, string][]> {
  const names = (await readdir(join(folder, directory))).sort();
  const contents = names.map((name) => readFile(join(folder, directory, name), 'utf8'));
  return (await Promise.all(contents)).map((content, index) => [names[index]!, content]);
}

describe('sluice evaluate', () => {
  it('counts for each policy what sluice label counts', async () => {
    const stdout = await evaluate('--speeds', '0,0.03', '--policy', 'fast', '--no-timing', '--json');
    const { policies, ...counted } = evaluationSchema.parse(JSON.parse(stdout));
    expect(counted).toMatchObject({ rows: 202, rejected: 2 });
    expect(policies.map(({ name }) => name)).toEqual(['0', '0.03', 'fast']);
    for (const policy of policies.slice(1)) {
      const chosen = policy.name === 'fast' ? ['--policy', 'fast'] : ['--speed', policy.name];
      const out = `labelled-${policy.name}.jsonl`;
      const labelled = await runCli(['label', 'mails.jsonl', ...model, ...chosen, '--out', out, '--json'], {
        cwd: folder,
      });
      expect(labelled.end, labelled.stderr).toBe(0);
      const {
        exits: left,
        meanLayers,
        quality: found,
        ...report
      } = reportSchema.parse(JSON.parse(labelled.stdout));
      expect(report).toEqual(counted);
      expect(policy.exits.filter(({ rows }) => rows > 0)).toEqual(left);
      expect(policy.meanLayers).toBe(meanLayers);
      expect(policy.quality).toEqual(found);
      expect(policy.quality).toMatchObject({ rows: 196, unknownLabels: 4 });
      expect(policy.positive).toMatchObject({
        label: 'spam',
        precision: { share: found.classes[1]!.precision },
      });
    }
    // Rows leave at many exits, so that the comparison says something.
    expect(policies[1]!.exits.filter(({ rows }) => rows > 0).length).toBeGreaterThan(3);
    expect(policies[0]!.agreement).toMatchObject({ part: 200, whole: 200 });
  });

  it('is the same each time but for the timings, and writes its figures and plots', async () => {
    const options = ['--limit', '40', '--speeds', '0.05', '--policy', 'fast'];
    await evaluate(...options, '--no-timing', '--out', 'one', '--workers', '1');
    const printed = await evaluate(...options, '--no-timing', '--out', 'two');
    const written = await filesIn('two');
    expect(written).toEqual(await filesIn('one'));
    expect(written.map(([name]) => name)).toEqual([
      'evaluation.json',
      'quality-over-work.svg',
      'rows-per-exit.svg',
    ]);
    expect(printed).toContain('With policy fast');
    expect(printed).toMatch(/2 rows rejected: .+1, .+1/);

    const { policies } = evaluationSchema.parse(JSON.parse(await evaluate(...options, '--json')));
    for (const { textsPerSecond } of policies) expect(textsPerSecond?.median).toBeGreaterThan(0);
  });

  it.each([
    [['--detail', '0.3'], /--detail 0\.3 is none of what is compared: 0, .*balanced/],
    [['--positive', 'eggs'], /no label eggs; its labels are ham, spam/],
    [['--policy', 'slow'], /no preset and no file 'slow'/],
  ])('refuses %j before any work', async (options, message) => {
    const { end, stderr } = await runCli(['evaluate', 'mails.jsonl', ...model, ...options], { cwd: folder });
    expect(stderr).toMatch(message);
    expect(end).toBe(2);
  });
});
