/** `sluice dev`: the fleet of a newcomer, in the commands of the README. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CliProcess, runCli, spamBundle } from './run-cli.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-dev-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Started, once it takes runs. @returns it, and where */
async function dev(...args: string[]): Promise<{ fleet: CliProcess; server: string }> {
  const fleet = new CliProcess(['dev', '--model', spamBundle, '--port', '0', ...args], {
    cwd: folder,
    inputStaysOpen: true,
  });
  const [, server = ''] = await fleet.saying(/API: (http:[^,]+),/);
  return { fleet, server };
}

it('starts Redis, a producer and workers, which label what is submitted, and stops them all on Ctrl-C', async () => {
  const { fleet, server } = await dev('--stages', '1,2-3', '--dir', 'dev');
  await writeFile(join(folder, 'mails.jsonl'), '{"text":"you have won"}\n{"text":"see you at lunch"}\n');
  const env = { SLUICE_SERVER: server };
  const submitted = await runCli(['submit', 'mails.jsonl', '--model', 'spam', '--watch', '--json'], {
    cwd: folder,
    env,
  });
  expect(submitted.end, submitted.stderr).toBe(0);
  const { id }: { id: string } = JSON.parse(submitted.stdout);
  expect((await runCli(['fetch', id, '--out', 'out.jsonl'], { cwd: folder, env })).end).toBe(0);
  const label = ['label', 'mails.jsonl', '--model', spamBundle, '--out', 'label.jsonl'];
  expect((await runCli(label, { cwd: folder })).end).toBe(0);
  expect(await readFile(join(folder, 'out.jsonl'), 'utf8')).toBe(
    await readFile(join(folder, 'label.jsonl'), 'utf8'),
  );
  fleet.kill('SIGINT');
  const { end, stderr } = await fleet.ended;
  expect([end, stderr]).toEqual([0, expect.stringContaining('dev       stopping')]);
  // All of it: nothing listens any more.
  await expect(fetch(`${server}/v1/runs`)).rejects.toThrow();
  const redis = /Redis is now ready to exit/;
  expect(stderr).toMatch(redis);
});

it('goes on with its runs when it is started again', async () => {
  const first = await dev('--workers', '1');
  await writeFile(
    join(folder, 'mails.jsonl'),
    '{"text":"you have won a prize, and more of that"}\n'.repeat(400),
  );
  const submit = ['submit', 'mails.jsonl', '--model', 'spam', '--speed', '0', '--json'];
  const submitted = await runCli(submit, { cwd: folder, env: { SLUICE_SERVER: first.server } });
  expect(submitted.end, submitted.stderr).toBe(0);
  const { id }: { id: string } = JSON.parse(submitted.stdout);
  first.fleet.kill('SIGINT');
  expect((await first.fleet.ended).end).toBe(0);
  const second = await dev('--workers', '2');
  const watched = await runCli(['watch', id, '--json'], {
    cwd: folder,
    env: { SLUICE_SERVER: second.server },
  });
  expect(watched.end, watched.stderr).toBe(0);
  expect(JSON.parse(watched.stdout).report).toMatchObject({ rows: 400, accepted: 400 });
  second.fleet.kill('SIGINT');
  expect((await second.fleet.ended).end).toBe(0);
});

it('says what is missing', async () => {
  const none = await runCli(['dev', '--model', 'models/none'], { cwd: folder });
  expect([none.end, none.stderr]).toEqual([2, expect.stringContaining('is no bundle')]);
  const bare = await runCli(['dev', '--model', spamBundle], { cwd: folder, env: { PATH: '/nowhere' } });
  expect([bare.end, bare.stderr]).toEqual([
    2,
    expect.stringContaining('There is no redis-server on this machine'),
  ]);
});

it('commands that ask a producer say where none is', async () => {
  const server = ['--server', 'http://127.0.0.1:1'];
  const gone = await runCli(['runs', ...server]);
  expect([gone.end, gone.stderr]).toEqual([1, expect.stringContaining('cannot be reached')]);
  const wrong = await runCli(['runs', '--server', 'localhost']);
  expect([wrong.end, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('Expected the address of a producer'),
  ]);
  const file = await runCli(['submit', 'none.jsonl', '--model', 'spam', ...server], { cwd: folder });
  expect([file.end, file.stderr]).toEqual([expect.any(Number), expect.stringContaining('none.jsonl')]);
});
