/** What clients are told of files when a run fails: names that they know. The log has the paths. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '#run/run-view.js';
import { runCli } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
let producer: Producer;
/** A link to the folder: the producer follows it. */
let input: string;
beforeAll(async () => {
  fleet = await ServiceFleet.start();
  await mkdir(join(fleet.folder, 'disk/deep'), { recursive: true });
  input = join(fleet.folder, 'input');
  await symlink(join(fleet.folder, 'disk'), input);
  producer = await fleet.producer({ SLUICE_PRODUCER_INPUT_ROOT: input });
});
afterAll(() => fleet.stop());

const sluice = (...args: string[]) =>
  runCli(args, { cwd: fleet.folder, env: { SLUICE_SERVER: producer.api } });

async function submit(...args: string[]): Promise<string> {
  const { end, stdout, stderr } = await sluice('submit', ...args, '--model', 'spam', '--json');
  expect(end, stderr).toBe(0);
  const { id }: { id: string } = JSON.parse(stdout);
  return id;
}

const cutGzip = (): Buffer => {
  const whole = gzipSync('{"text":"one of many"}\n'.repeat(100));
  return whole.subarray(0, whole.length - 12);
};

describe('a run fails', () => {
  const scenes = {
    'by a file that was uploaded': {
      begin: async () => {
        await writeFile(join(fleet.folder, 'cut.jsonl.gz'), cutGzip());
        return submit('cut.jsonl.gz');
      },
      told: () => 'Cannot read cut.jsonl.gz ',
      logged: (id: string) => join(fleet.folder, 'runs', id, 'input/cut.jsonl.gz'),
    },
    'by a file below the input folder': {
      begin: async () => {
        await writeFile(join(input, 'deep/cut.jsonl.gz'), cutGzip());
        return submit('deep/cut.jsonl.gz', '--on-server');
      },
      told: () => 'Cannot read deep/cut.jsonl.gz ',
      logged: () => join(fleet.folder, 'disk/deep/cut.jsonl.gz'),
    },
    'by its output': {
      begin: async () => {
        await writeFile(join(input, 'fine.jsonl'), '{"text":"a"}\n');
        const id = await submit('fine.jsonl', '--on-server');
        await mkdir(join(fleet.folder, 'runs', id, 'output.jsonl'));
        return id;
      },
      told: () => 'output.jsonl',
      logged: (id: string) => join(fleet.folder, 'runs', id, 'output.jsonl'),
    },
  };

  it.each(Object.entries(scenes))('%s', async (_, { begin, told, logged }) => {
    const id = await begin();
    const worker = await fleet.worker();
    const watched = await sluice('watch', id);
    worker.kill('SIGTERM');
    await worker.ended;
    expect([watched.end, watched.stderr]).toEqual([1, expect.stringContaining(told())]);
    const { error }: RunView = JSON.parse(await text(`/v1/runs/${id}`));
    expect(error).toContain(told());
    const all = [
      watched.stderr,
      await text(`/v1/runs/${id}`),
      await text('/v1/runs'),
      await text(`/v1/runs/${id}/events`),
    ];
    expect(all.join('\n')).not.toContain(fleet.folder);
    expect(producer.output).toContain(logged(id));
  });
});

it('rejects of several files name them as the run does', async () => {
  for (const name of ['a.jsonl', 'b.jsonl'])
    await writeFile(join(fleet.folder, name), '{"text":"a"}\n{"no":1}\n');
  const worker = await fleet.worker();
  const submitted = await sluice('submit', 'a.jsonl', 'b.jsonl', '--model', 'spam', '--watch', '--json');
  worker.kill('SIGTERM');
  await worker.ended;
  const { id }: RunView = JSON.parse(submitted.stdout);
  const rejects = (await text(`/v1/runs/${id}/rejects`)).trimEnd().split('\n');
  expect(rejects.map((line): unknown => JSON.parse(line))).toMatchObject([
    { file: 'a.jsonl' },
    { file: 'b.jsonl' },
  ]);
});

const text = async (path: string): Promise<string> => (await fetch(producer.api + path)).text();
