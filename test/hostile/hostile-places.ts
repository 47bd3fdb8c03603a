import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../run-cli.js';
import { labelArgs } from './corpus-case.js';
import type { HostileCase, HostileSection, HostileStep } from './hostile-case.js';
import { fromOutside, mountDisk, onDisk, unmountDisk } from './small-disk.js';

const KIB = 1024;
const DISK_KIB = 1024;
const ROWS = 1500;
const corpus = Array.from({ length: ROWS }, (_, row) => `row ${row} ${'words '.repeat(30)}\n`).join('');
const fast = ['--speed', '1', '--chunk-rows', '100'];
const writeCorpus = (folder: string): Promise<void> => writeFile(join(folder, 'rows.txt'), corpus);

let undisturbed: Promise<string> | undefined;

/** The output of a run that nothing disturbs. */
function undisturbedOutput(folder: string): Promise<string> {
  return (undisturbed ??= (async () => {
    const { end } = await runCli(labelArgs('rows.txt', '--out', 'undisturbed.jsonl', ...fast), {
      cwd: folder,
    });
    expect(end).toBe(0);
    return readFile(join(folder, 'undisturbed.jsonl'), 'utf8');
  })());
}

async function expectUndisturbed(folder: string, output: string): Promise<void> {
  expect(output).toBe(await undisturbedOutput(folder));
}

/** Leaves so much of the disk free. */
const leave =
  (kib: number) =>
  async (folder: string): Promise<void> => {
    const ballast = join(fromOutside(folder), 'disk/ballast');
    await rm(ballast, { force: true });
    await writeFile(ballast, Buffer.alloc((DISK_KIB - kib) * KIB));
  };
const full: Omit<HostileStep, 'before'> = {
  args: labelArgs('rows.txt', '--out', 'disk/out.jsonl', ...fast),
  under: onDisk,
  exit: 1,
  says: /ENOSPC.* write 'disk\/out\.jsonl.*'\. Free some space, then give the same command again/,
};

const disks: HostileCase[] = [
  {
    name: 'a disk that is full: at the start, in the middle, at the merge; then there is space',
    make: async (folder) => {
      await writeCorpus(folder);
      await mountDisk(folder, `size=${DISK_KIB}k`);
    },
    steps: [
      { ...full, before: leave(0) },
      { ...full, before: leave(200) },
      { ...full, before: leave(600) },
      {
        ...full,
        before: (folder) => rm(join(fromOutside(folder), 'disk/ballast')),
        exit: 0,
        says: /^Resuming the run[^\n]*$/,
        rows: ROWS,
        foundIn: fromOutside,
      },
    ],
    check: async (folder) =>
      expectUndisturbed(folder, await readFile(join(fromOutside(folder), 'disk/out.jsonl'), 'utf8')),
    unmake: unmountDisk,
  },
  {
    name: 'a folder that cannot be written to, for output and run directory',
    make: async (folder) => {
      await writeCorpus(folder);
      await mountDisk(folder, 'ro');
    },
    steps: [
      { args: full.args, under: onDisk, exit: 1, says: /EROFS.*Name another folder/ },
      {
        args: labelArgs('rows.txt', '--out', 'disk/out.jsonl', '--run-dir', 'run'),
        under: onDisk,
        exit: 1,
        says: /output cannot be written.*EROFS/,
      },
    ],
    unmake: unmountDisk,
  },
];

const places: HostileCase[] = [
  {
    name: 'a limit on the size of files; then there is none',
    make: writeCorpus,
    steps: [
      {
        args: labelArgs('rows.txt', ...fast),
        // Half a kibibyte is the unit.
        under: () => ['sh', '-c', 'ulimit -f 200; exec "$@"', 'sh'],
        exit: 1,
        says: /EFBIG.* write 'out\.jsonl.*'\. Allow larger files/,
      },
      { args: labelArgs('rows.txt', ...fast), exit: 0, rows: ROWS },
    ],
    check: async (folder) => expectUndisturbed(folder, await readFile(join(folder, 'out.jsonl'), 'utf8')),
  },
  place(
    'an output that is a folder',
    ['--out', 'folder', '--out-format', 'jsonl', '--run-dir', 'run'],
    1,
    /it is a folder/,
  ),
  place('the corpus as output', ['--out', 'rows.txt', '--out-format', 'jsonl'], 2, /would replace it/),
  place(
    '/dev/full as output',
    ['--out', '/dev/full', '--out-format', 'jsonl', '--run-dir', 'run'],
    1,
    /a pipe or device/,
  ),
  place('an output in /proc', ['--out', '/proc/out.jsonl', '--run-dir', 'run'], 1, /cannot be written to/),
  place(
    'a run directory that is a device',
    ['--out', 'out.jsonl', '--run-dir', '/dev/null'],
    1,
    /cannot be the run directory/,
  ),
];

function place(name: string, options: string[], exit: 1 | 2, says: RegExp): HostileCase {
  return {
    name,
    make: async (folder) => {
      await writeCorpus(folder);
      await mkdir(join(folder, 'folder'));
    },
    steps: [{ args: labelArgs('rows.txt', ...options), exit, says }],
  };
}

export const hostilePlaces: HostileSection = {
  title: 'Places to write to',
  cases: [...disks, ...places],
};
