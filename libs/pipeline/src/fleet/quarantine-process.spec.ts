import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TrialRows } from './quarantine.js';
import { TrialFailedError } from './quarantine.js';
import { QuarantineProcess, QuarantineUnfitError } from './quarantine-process.js';

let folder: string;
let tried: QuarantineProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-quarantine-'));
});
afterEach(() => tried?.close());
afterAll(() => rm(folder, { recursive: true }));

const rowsOf = (text: string): TrialRows => ({ input: { kind: 'texts', texts: [text] }, policy: {} });
const rows = rowsOf('a');

/** A process that runs this script, with a second for each trial. */
async function processOf(script: string): Promise<QuarantineProcess> {
  const path = join(folder, 'child.mjs');
  await writeFile(path, script);
  tried = new QuarantineProcess({ script: path, args: [], timeoutMs: 1000 });
  return tried;
}

/** Answers with its own process id. */
const ANSWERS = `
process.on('message', () => process.send({ kind: 'labelled', rows: process.pid }));
process.send({ kind: 'ready' });
`;

it.each([
  ['ends as it starts', 'process.exit(3);', 'did not start: exit code 3'],
  ['is killed as it starts', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);", 'SIGKILL'],
  ['never says that it is ready', 'setInterval(() => {}, 1000);', 'SIGKILL'],
  ['cannot be read', 'this is no script', 'exit code 1'],
])('a process that %s is no fault of the rows', async (_, script, message) => {
  const error: unknown = await (await processOf(script)).tryRows(rows).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(QuarantineUnfitError);
  expect(String(error)).toContain(message);
});

it('one that dies with rows is their fault, and the next rows have another', async () => {
  const quarantine = await processOf(`
process.on('message', ({ input }) =>
  input.texts[0] === 'kill' ? process.exit(9) : process.send({ kind: 'labelled', rows: process.pid }));
process.send({ kind: 'ready' });
`);
  const first = await quarantine.tryRows(rows);
  const killed = quarantine.tryRows(rowsOf('kill'));
  const after = quarantine.tryRows(rows);
  await expect(killed).rejects.toThrow(TrialFailedError);
  expect(await after).not.toBe(first);
});

it('one that dies while it has no rows is not asked again', async () => {
  const quarantine = await processOf(ANSWERS);
  const first = Number(await quarantine.tryRows(rows));
  process.kill(first, 'SIGKILL');
  await expect
    .poll(() => {
      try {
        return process.kill(first, 0);
      } catch {
        return false;
      }
    })
    .toBe(false);
  expect(await quarantine.tryRows(rows)).not.toBe(first);
});

it('rows that take too long are given up', async () => {
  const quarantine = await processOf("process.on('message', () => {}); process.send({ kind: 'ready' });");
  await expect(quarantine.tryRows(rows)).rejects.toThrow('SIGKILL');
});
