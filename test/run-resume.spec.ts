import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { TokenColumns } from '#pipeline/columns.js';
import { RunStoppedError } from '#pipeline/label-run.js';
import { NonFiniteError } from '#pipeline/label-chunk.js';
import { ChunkDamagedError } from '#pipeline/run-directory/chunk-store.js';
import { temporarySuffix } from '#pipeline/run-directory/durable-write.js';
import {
  OutputChangedError,
  OutputExistsError,
  OutputPathError,
} from '#pipeline/run-directory/output-file.js';
import { RunDirectoryError } from '#pipeline/run-directory/read-json.js';
import { RunLockedError } from '#pipeline/run-directory/run-lock.js';
import { isRunRecord } from '#pipeline/run-directory/run-record.js';
import { runSteps } from '#pipeline/run-directory/run-steps.js';
import type { RunStep } from '#pipeline/run-directory/run-steps.js';
import { ToyLabeller, toyCorpusText, toyLabelsOf } from './toy-ports.js';
import type { ToyRun } from './toy-run.js';
import { damage, outcomeOf, toyRun } from './toy-run.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-resume-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function corpusFolder(rows = 115): Promise<string> {
  const folder = await mkdtemp(join(root, 'run-'));
  await writeFile(join(folder, 'corpus.txt'), toyCorpusText(rows));
  return folder;
}

/** Runs until `chunks` are committed, then stops as Ctrl-C does. */
async function stoppedRun(toy: ToyRun, chunks: number): Promise<void> {
  const stop = new AbortController();
  const options = {
    chunksInFlight: 3,
    signal: stop.signal,
    onProgress: ({ chunksCommitted }: { chunksCommitted: number }) => {
      if (chunksCommitted >= chunks) stop.abort();
    },
  };
  await expect(toyRun({ ...toy, options })).rejects.toThrow(RunStoppedError);
}

async function committedChunks(folder: string): Promise<number[]> {
  const names = await readdir(join(folder, 'out.txt.run/chunks'));
  return names.filter((name) => name.endsWith('.ok')).map((name) => Number.parseInt(name, 10));
}

const chunkFile = (folder: string, chunk: number, extension: string): string =>
  join(folder, 'out.txt.run/chunks', `${String(chunk).padStart(6, '0')}.${extension}`);

describe('a run from start to end', () => {
  it('writes each accepted row once, in order, and each rejected row with its number', async () => {
    const folder = await corpusFolder();
    const { report, success, alreadyFinished } = await toyRun({ folder });
    const lines = (await readFile(join(folder, 'corpus.txt'), 'utf8')).split('\n').slice(0, -1);
    const { output, rejects, files } = await outcomeOf(folder);
    expect(
      output
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(',')[0]),
    ).toEqual(lines.filter((line) => line.includes('\t')).map((line) => line.split('\t')[1]));
    expect(Array.from(rejects.matchAll(/"row":(\d+)/g), ([, row]) => Number(row))).toEqual(
      lines.flatMap((line, index) => (line.includes('\t') ? [] : [index + 1])),
    );
    expect(report).toMatchObject({
      rows: 115,
      accepted: 99,
      rejected: 16,
      rejectedByReason: { 'no-tab': 16 },
    });
    expect(report.exits.reduce((rows, exit) => rows + exit.rows, 0)).toBe(99);
    expect(report.quality?.rows).toBeGreaterThan(0);
    expect(report.quality?.unknownLabels).toBeGreaterThan(0);
    expect(success).toMatchObject({ rows: 99, rejected: 16, bytes: Buffer.byteLength(output) });
    expect(alreadyFinished).toBe(false);
    expect(files).toEqual([
      'corpus.txt',
      'out.txt',
      'out.txt.run',
      'out.txt.run/_SUCCESS',
      'out.txt.run/plan.jsonl',
      'out.txt.run/rejects.jsonl',
      'out.txt.run/report.json',
      'out.txt.run/run.json',
    ]);
  });

  it('takes its steps in the order that makes them safe', async () => {
    const folder = await corpusFolder();
    const steps = new Map<number | undefined, RunStep[]>();
    const onStep = (step: RunStep, chunk?: number): void => {
      steps.set(chunk, [...(steps.get(chunk) ?? []), step]);
      // The parts stay until nothing can ask for them any more.
      if (step === 'success-written') expect(existsSync(chunkFile(folder, 11, 'ok'))).toBe(true);
    };
    await toyRun({ folder, open: { onStep } });
    const last = runSteps.indexOf('ok-renamed');
    for (let chunk = 0; chunk < 12; chunk += 1) {
      const without = chunk === 11 ? 'rejects-part' : 'none';
      expect(steps.get(chunk)).toEqual(
        runSteps.slice(1, last + 1).filter((step) => !step.startsWith(without)),
      );
    }
    expect(steps.get(undefined)).toEqual(['run-written', ...runSteps.slice(last + 1)]);
  });

  it('finds out before it labels that its output cannot be written', async () => {
    const folder = await corpusFolder();
    const labeller = new ToyLabeller();
    await mkdir(join(folder, 'taken'));
    for (const output of ['taken', 'corpus.txt/out.txt']) {
      const run = toyRun({ folder, parts: { labeller }, options: { output: join(folder, output) } });
      await expect(run).rejects.toThrow(OutputPathError);
    }
    expect(labeller.labelled).toBe(0);
    await toyRun({ folder, options: { output: join(folder, 'not/there/yet.txt') } });
  });

  it('never replaces what it did not write, however far it is', async () => {
    const folder = await corpusFolder();
    const output = join(folder, 'out.txt');
    const rivals = [async () => {}, async () => stoppedRun({ folder }, 3)];
    for (const before of rivals) {
      await before();
      await writeFile(output, 'precious');
      await expect(toyRun({ folder })).rejects.toThrow(OutputExistsError);
      expect(await readFile(output, 'utf8')).toBe('precious');
      await rm(output);
    }
    for (const target of ['corpus.txt', 'nowhere']) {
      await symlink(join(folder, target), output);
      await expect(toyRun({ folder })).rejects.toThrow(OutputPathError);
      await rm(output);
    }
    execFileSync('mkfifo', [output]);
    await expect(toyRun({ folder })).rejects.toThrow(/it is a pipe or device/);
    await rm(output);
    expect((await toyRun({ folder })).report.rows).toBe(115);
  });

  it('beside another with the same output is whole or not there, and each knows its own', async () => {
    const folder = await corpusFolder();
    const waiting: (() => void)[] = [];
    const runs = ['one.run', 'two.run'].map((runFolder, label) => {
      let first = true;
      const labeller = {
        label: async (tokens: TokenColumns) => {
          if (first) {
            first = false;
            await new Promise<void>((resolve) => {
              waiting.push(resolve);
              if (waiting.length === 2) for (const release of waiting) release();
            });
          }
          const labels = toyLabelsOf(tokens);
          labels.label.fill(label);
          return labels;
        },
      };
      return { folder, runFolder, parts: { labeller } };
    });
    await Promise.all(runs.map(toyRun));
    const again = await Promise.allSettled(runs.map(toyRun));
    expect(again.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(again.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { name: 'OutputChangedError' },
    });
    expect((await readdir(folder)).sort()).toEqual(['corpus.txt', 'one.run', 'out.txt', 'two.run']);
  });

  it('of an empty corpus has the head alone', async () => {
    const folder = await corpusFolder(0);
    const { report } = await toyRun({ folder });
    expect(report).toMatchObject({ rows: 0, meanLayers: 0, layersSaved: 0 });
    expect((await outcomeOf(folder)).output).toBe('text,label,exit_layer\n');
  });

  it('labels as many chunks at once as told, and no more', async () => {
    const folder = await corpusFolder();
    const inner = new ToyLabeller();
    let waiting: (() => void)[] = [];
    // Each call waits until it is one of three.
    const inThrees = {
      label: async (tokens: TokenColumns) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < 3) return;
          for (const release of waiting) release();
          waiting = [];
        });
        return inner.label(tokens);
      },
    };
    await toyRun({ folder, parts: { labeller: inThrees }, options: { chunksInFlight: 3 } });
    expect(inner.labelled).toBe(12);
    expect(inner.mostActive).toBe(3);
  });

  it('tells its progress phase by phase, and the last counts equal the report', async () => {
    const folder = await corpusFolder();
    const phases: string[] = [];
    let accepted = 0;
    const { report } = await toyRun({
      folder,
      options: {
        onProgress: ({ phase, tally, chunksCommitted, chunksPlanned }) => {
          if (phases.at(-1) !== phase) phases.push(phase);
          expect(chunksCommitted).toBeLessThanOrEqual(chunksPlanned);
          accepted = tally.accepted;
        },
      },
    });
    expect(phases).toEqual(['verifying', 'labelling', 'merging', 'finished']);
    expect(accepted).toBe(report.accepted);
  });
});

describe('a stopped run', () => {
  it('resumes without labelling committed chunks again', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 5);
    const committed = await committedChunks(folder);
    const labeller = new ToyLabeller();
    const { corpus, rowsResumed, report } = await toyRun({ folder, parts: { labeller } });
    expect(labeller.labelled).toBe(12 - committed.length);
    expect(corpus.verified.sort((a, b) => a - b)).toEqual(committed.sort((a, b) => a - b));
    expect(report.lastSession.rows).toBe(115 - rowsResumed);
  });

  it('clears away what a killed process was writing', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 2);
    const run: unknown = JSON.parse(await readFile(join(folder, 'out.txt.run/run.json'), 'utf8'));
    const left = [
      `out.txt.${isRunRecord(run) ? run.id : ''}`,
      'out.txt.run/plan.jsonl',
      'out.txt.run/chunks/000001.txt',
    ];
    for (const name of left) await writeFile(join(folder, name + temporarySuffix), 'torn');
    await stoppedRun({ folder }, 4);
    const names = await readdir(folder, { recursive: true });
    expect(names.filter((name) => name.endsWith(temporarySuffix))).toEqual([]);
  });

  it('stops although a label call hangs, and frees the directory', async () => {
    const folder = await corpusFolder();
    const stop = new AbortController();
    const hanging = { label: () => new Promise<never>(() => setTimeout(() => stop.abort(), 5)) };
    const options = { signal: stop.signal };
    await expect(toyRun({ folder, parts: { labeller: hanging }, options })).rejects.toThrow(RunStoppedError);
    expect((await toyRun({ folder })).report.rows).toBe(115);
  });

  it('keeps its chunk rows when others are asked for, and says so', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder, chunkRows: 10 }, 2);
    const { notes } = await toyRun({ folder, chunkRows: 64 });
    expect(notes).toEqual([expect.stringMatching(/chunks of 10 rows.*64/)]);
  });

  it('redoes just the chunk in which a bit flipped', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 6);
    const committed = await committedChunks(folder);
    const hurt = committed[2]!;
    await damage(chunkFile(folder, hurt, 'txt'), 20);
    const labeller = new ToyLabeller();
    const { corpus } = await toyRun({ folder, parts: { labeller } });
    expect(corpus.rereads).toContain(hurt);
    expect(labeller.labelled).toBe(12 - committed.length + 1);
  });

  it('names the chunk that was damaged while it ran, shows no output, and the next run mends it', async () => {
    const folder = await corpusFolder();
    const part = chunkFile(folder, 4, 'txt');
    const merging = toyRun({
      folder,
      open: { onStep: (step) => step === 'plan-sealed' && writeFileSync(part, 'other') },
      options: { chunksInFlight: 1 },
    });
    await expect(merging).rejects.toThrow(ChunkDamagedError);
    expect(await readdir(folder)).toEqual(['corpus.txt', 'out.txt.run']);
    const { corpus } = await toyRun({ folder });
    expect(corpus.rereads).toEqual([4]);
  });
});

describe('a run directory refuses', () => {
  it('a corpus of another size, other options and another bundle, naming each', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 2);
    const settings = {
      files: [{ path: 'corpus.txt', bytes: 7 }],
      bundle: 'c'.repeat(64),
      options: { textField: 'body', fields: ['text'] },
      policy: new Map([[0, 0.2]]),
    };
    await expect(toyRun({ folder, settings })).rejects.toMatchObject({
      name: 'RunMismatchError',
      differences: [
        { field: 'files.0.bytes' },
        { field: 'bundle' },
        { field: 'policy.4', was: '0.2', now: 'not set' },
        { field: 'options.textField', was: '"text"', now: '"body"' },
      ],
    });
    await expect(toyRun({ folder, settings })).rejects.toThrow(
      'options.textField: was "text" / is now "body"',
    );
  });

  it('a corpus whose planned bytes changed', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 2);
    await damage(join(folder, 'corpus.txt'), 30);
    await expect(toyRun({ folder })).rejects.toMatchObject({ name: 'CorpusChangedError' });
  });

  it('another fingerprint, unless it is accepted, and then remembers both', async () => {
    const folder = await corpusFolder();
    await stoppedRun({ folder }, 2);
    const settings = { fingerprint: 'other' };
    await expect(toyRun({ folder, settings })).rejects.toThrow(/fingerprint: was "toy" \/ is now "other"/);
    const { report, notes } = await toyRun({ folder, settings, open: { acceptFingerprint: true } });
    expect(report.fingerprints).toEqual(['toy', 'other']);
    expect(notes).toEqual([expect.stringContaining('toy and other')]);
  });

  it('a second process while the first lives', async () => {
    const folder = await corpusFolder();
    let second: Promise<unknown> | undefined;
    await toyRun({
      folder,
      options: {
        onProgress: () => {
          second ??= toyRun({ folder }).catch((error: unknown) => error);
        },
      },
    });
    expect(await second).toBeInstanceOf(RunLockedError);
    expect(await second).toMatchObject({ pid: process.pid });
  });

  it('a folder that holds other things', async () => {
    const folder = await corpusFolder();
    await writeFile(join(folder, 'out.txt.run'), '');
    await expect(toyRun({ folder })).rejects.toThrow();
    const foreign = await corpusFolder();
    await toyRun({ folder: foreign });
    await rm(join(foreign, 'out.txt.run/run.json'));
    await expect(toyRun({ folder: foreign })).rejects.toThrow(RunDirectoryError);
  });
});

describe('a finished run', () => {
  it('says so and computes nothing', async () => {
    const folder = await corpusFolder();
    const first = await toyRun({ folder });
    const labeller = new ToyLabeller();
    const again = await toyRun({ folder, parts: { labeller } });
    expect(again).toMatchObject({ alreadyFinished: true, success: first.success, report: first.report });
    expect(labeller.labelled).toBe(0);
  });

  it('is refused for a corpus of other bytes, and where its plan no longer tells them', async () => {
    const folder = await corpusFolder();
    await toyRun({ folder });
    await damage(join(folder, 'corpus.txt'), 1000);
    await expect(toyRun({ folder })).rejects.toMatchObject({ name: 'CorpusChangedError' });
    await damage(join(folder, 'corpus.txt'), 1000);
    expect((await toyRun({ folder })).alreadyFinished).toBe(true);
    await damage(join(folder, 'out.txt.run/plan.jsonl'), 1000);
    await expect(toyRun({ folder })).rejects.toThrow(/The plan in .* is damaged/);
  });

  it('tells what to do when its output is missing or changed', async () => {
    const folder = await corpusFolder();
    await toyRun({ folder });
    await damage(join(folder, 'out.txt'), 40);
    await expect(toyRun({ folder })).rejects.toThrow(OutputChangedError);
    await rm(join(folder, 'out.txt'));
    await expect(toyRun({ folder })).rejects.toThrow(/is missing.*delete the run directory/s);
  });
});

describe('an error', () => {
  it('of one chunk is thrown once the others have settled, and the run resumes', async () => {
    const folder = await corpusFolder();
    const labeller = new ToyLabeller();
    const failing = {
      label: (tokens: TokenColumns) =>
        labeller.labelled === 4 ? Promise.reject(new Error('out of memory')) : labeller.label(tokens),
    };
    await expect(toyRun({ folder, parts: { labeller: failing } })).rejects.toThrow('out of memory');
    expect((await toyRun({ folder })).report.rows).toBe(115);
  });

  it('names the row whose probabilities are no numbers', async () => {
    const folder = await corpusFolder(10);
    const broken = {
      label: (tokens: TokenColumns) => {
        const labels = toyLabelsOf(tokens);
        // Row 4 is rejected, so the fourth accepted row is the fifth of the corpus.
        labels.probabilities[3 * 3 + 1] = Number.NaN;
        return Promise.resolve(labels);
      },
    };
    const broke = toyRun({ folder, parts: { labeller: broken } });
    await expect(broke).rejects.toThrow(NonFiniteError);
    await expect(broke).rejects.toMatchObject({ row: 5 });
  });
});

describe('plan and resume', () => {
  it('give the same bytes however often it stopped, whatever was committed and whatever broke', async () => {
    const wound = fc.record({
      chunk: fc.nat(40),
      extension: fc.constantFrom('txt', 'rejects.jsonl', 'ok'),
      how: fc.constantFrom('flip', 'cut', 'remove'),
      at: fc.nat(400),
    });
    const planWound = fc.option(fc.record({ how: fc.constantFrom('flip', 'cut'), at: fc.nat(4000) }));
    /** Commits some chunks more, stops, and then some of what it left breaks. */
    const stop = fc.record({ more: fc.nat(6), wounds: fc.array(wound, { maxLength: 4 }), planWound });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 3, max: 20 }),
        fc.array(stop, { minLength: 1, maxLength: 3 }),
        async (rows, chunkRows, stops) => {
          const clean = await corpusFolder(rows);
          await toyRun({ folder: clean, chunkRows });
          const folder = await corpusFolder(rows);
          const chunks = Math.ceil(rows / chunkRows);
          const whole = new Set<number>();
          let commits = 0;
          const onStep = (step: RunStep, chunk?: number): void => {
            if (step !== 'ok-renamed' || chunk === undefined) return;
            whole.add(chunk);
            commits += 1;
          };
          for (const { more, wounds, planWound } of stops) {
            const enough = Math.min(whole.size + more, chunks - 1);
            await stoppedRun({ folder, chunkRows, open: { onStep } }, enough);
            for (const { chunk, extension, how, at } of wounds) {
              if (await hurt(chunkFile(folder, chunk, extension), how, at)) whole.delete(chunk);
            }
            if (planWound) await hurt(join(folder, 'out.txt.run/plan.jsonl'), planWound.how, planWound.at);
          }
          const missing = chunks - whole.size;
          commits = 0;
          await toyRun({ folder, chunkRows: chunkRows + 1, open: { onStep } });
          expect(await outcomeOf(folder)).toEqual(await outcomeOf(clean));
          expect(commits).toBe(missing);
        },
      ),
      { numRuns: 25 },
    );
  });
});

/** @returns whether there was such a file */
async function hurt(path: string, how: string, at: number): Promise<boolean> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  if (bytes.length === 0) return false;
  if (how === 'flip') await damage(path, at);
  else if (how === 'cut') await truncate(path, at % bytes.length);
  else await rm(path);
  return true;
}
