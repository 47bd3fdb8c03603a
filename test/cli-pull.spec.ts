/** `sluice pull` as users start it, against a hub on this machine. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StubFile } from './hub-stub.js';
import { HubStub, stubToken } from './hub-stub.js';
import type { CliEnd } from './run-cli.js';
import { CliProcess, runCli } from './run-cli.js';

const fixture = join(import.meta.dirname, 'fixtures/huggingface-bert/fp32');
const id = 'owner/tiny-bert';

let hub: HubStub;
let folder: string;
beforeEach(async () => {
  hub = await HubStub.start();
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-pull-'));
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

function env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { HF_ENDPOINT: hub.endpoint, HOME: folder, ...more };
}

/** Runs a command in the test's folder. */
function sluice(args: string, more?: NodeJS.ProcessEnv): Promise<CliEnd> {
  return runCli(args.split(' '), { cwd: folder, env: env(more) });
}

/** A BERT with a classifier, and the formats that nobody needs twice. */
async function tinyBert(): Promise<Record<string, StubFile>> {
  const names = ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt'];
  const files = names.map(async (name): Promise<[string, StubFile]> => [
    name,
    { content: await readFile(join(fixture, name)), lfs: name === 'model.safetensors' },
  ]);
  const other: StubFile = { content: Buffer.alloc(1000), lfs: true };
  return {
    ...Object.fromEntries(await Promise.all(files)),
    'pytorch_model.bin': other,
    'tf_model.h5': other,
  };
}

it('pulls a model that inspect reads, and compile and label take', async () => {
  const commit = hub.push(id, { files: await tinyBert() });
  const pulled = await sluice(`pull ${id}`);
  expect(pulled.end, pulled.stderr).toBe(0);
  const lines = pulled.stdout.split('\n');
  expect(lines[0]).toBe(`Pulled ${id}@main, commit ${commit.slice(0, 12)}: 3 files, 96.6 kB`);
  expect(lines[2]).toMatch(/^Hugging Face.* 2 layers × 32, 4 heads, 71 words$/);
  expect(lines).toContain('labels: red, green, blue');
  expect(lines.slice(-5)).toEqual([
    'Next:',
    '  $ sluice compile tiny-bert --calibrate texts.jsonl --out models/tiny-bert',
    '',
    'tiny-bert',
    '',
  ]);
  expect(pulled.stderr).toMatch(/^checking: 0 %, 0 B of 96\.6 kB, .*\npulling: .*\n/);
  const inspected = await sluice('inspect tiny-bert');
  expect(inspected.stdout).toContain('2 layers × 32');
  const compiled = await sluice('compile tiny-bert --out bundle --quiet');
  expect(compiled, compiled.stderr).toMatchObject({ end: 0 });
  const predicted = await sluice('predict a --model bundle --json');
  expect(predicted.end, predicted.stderr).toBe(0);
});

it('after kill -9 downloads the rest, and nothing twice', async () => {
  hub.push(id, { files: await tinyBert() });
  hub.fail('model.safetensors', { kind: 'stall', after: 60_000 });
  const killed = new CliProcess(['pull', id, '--out', 'out'], { cwd: folder, env: env() });
  await until(async () => (await unfinished('out')) === 60_000);
  killed.kill('SIGKILL');
  expect((await killed.ended).end).toBe('SIGKILL');
  const sent = hub.sent();
  const { end, stdout, stderr } = await sluice(`pull ${id} --out out --json`);
  expect(end, stderr).toBe(0);
  expect(stderr).toBe('');
  const { files } = JSON.parse(stdout);
  const sizes: Record<string, number> = Object.fromEntries(
    files.map((file: { name: string; size: number }) => [file.name, file.size]),
  );
  expect(hub.sent() - sent).toBe(sizes['model.safetensors']! - 60_000);
  expect(hub.requests.at(-1)).toMatchObject({ server: 'storage', range: 'bytes=60000-' });
  expect(files).toMatchObject([
    { name: 'config.json', kept: true },
    { name: 'tokenizer.json', kept: true },
    { name: 'model.safetensors', kept: false },
  ]);
  expect((await readdir(join(folder, 'out'))).sort()).toEqual([
    '.sluice-pull.json',
    'config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
});

it('stops on Ctrl-C and says how to go on', async () => {
  hub.push(id, { files: await tinyBert() });
  hub.fail('model.safetensors', { kind: 'stall', after: 60_000 });
  const stopped = new CliProcess(['pull', id], { cwd: folder, env: env() });
  await until(async () => (await unfinished('tiny-bert')) === 60_000);
  stopped.kill('SIGINT');
  const { end, stderr } = await stopped.ended;
  expect(end).toBe(1);
  expect(stderr).toMatch(
    /\nsluice: Stopped\. What has been downloaded is kept in tiny-bert: the same command goes on\.\n$/,
  );
  expect(await unfinished('tiny-bert')).toBe(60_000);
});

it('prints no token, whatever goes wrong, and sends it to no storage', async () => {
  hub.push(id, { files: await tinyBert(), access: 'gated' });
  hub.fail('model.safetensors', { kind: 'wrong-bytes' });
  const { end, stdout, stderr } = await sluice(`pull ${id}`, { HF_TOKEN: stubToken });
  expect(end).toBe(1);
  expect(stderr).toContain('model.safetensors came with sha256');
  const { stdout: more } = await sluice(`pull ${id} --json`, { HF_TOKEN: stubToken });
  const manifest = await readFile(join(folder, 'tiny-bert/.sluice-pull.json'), 'utf8');
  expect(stdout + stderr + more + manifest).not.toContain(stubToken);
  const asked = hub.requests.map(({ server, authorization }) => [server, authorization !== undefined]);
  expect(asked).toContainEqual(['hub', true]);
  expect(asked).toContainEqual(['storage', false]);
  expect(asked).not.toContainEqual(['storage', true]);
});

it('says in one line what went wrong and what to do', async () => {
  hub.push(id, { files: await tinyBert() });
  hub.push('owner/gated', { files: await tinyBert(), access: 'gated' });
  await writeFile(join(folder, 'thesis.tex'), '');
  const cases: [string, number, RegExp][] = [
    [
      'owner/none',
      1,
      /^owner\/none: 127\.0\.0\.1:\d+ has no such model, or it is private\. .* set HF_TOKEN\.$/,
    ],
    [`${id}@v2`, 1, /^owner\/tiny-bert has no branch, tag or commit v2\. .*$/],
    [
      'owner/gated',
      1,
      /^owner\/gated is gated: accept its terms at http:.*\/owner\/gated, then set HF_TOKEN\.$/,
    ],
    [`${id} --out .`, 2, /^\. is not empty and was not pulled: choose a directory/],
    [
      `${id} --include *.gguf`,
      2,
      /^--include \*\.gguf matches no file of owner\/tiny-bert; it has config\.json, /,
    ],
    ['https://huggingface.co/owner/name', 2, /^Expected the id of a model, such as /],
  ];
  const ends = await Promise.all(cases.map(([args]) => sluice(`pull --quiet ${args}`)));
  for (const [index, [args, end, message]] of cases.entries()) {
    expect(ends[index], args).toMatchObject({ end, stdout: '' });
    const [line, ...more] = ends[index]!.stderr.replace(/^sluice: /, '').split('\n');
    expect(line).toMatch(message);
    expect(more, args).toEqual(['']);
  }
});

it('says at once that nobody answers', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port }: { port: number } = Object(server.address());
  server.close();
  const { end, stderr } = await sluice(`pull ${id}`, { HF_ENDPOINT: `http://127.0.0.1:${port}` });
  expect(stderr).toMatch(
    /^sluice: 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)\. Check the network and HF_ENDPOINT; .*\n$/,
  );
  expect(end).toBe(1);
});

it('says what it pulled where it cannot be read, and does not call that a failure', async () => {
  const files = await tinyBert();
  hub.push(id, { files: { ...files, 'config.json': { content: Buffer.from('{"model_type": "mamba"}') } } });
  const { end, stdout } = await sluice(`pull ${id}`);
  expect(end).toBe(0);
  expect(stdout).toMatch(/\nIt cannot be read as it is: tiny-bert\/config\.json: /);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(5);
}

/** A file that was unfinished when its name was read, and has been given its own name since. */
const gone = (): { size: number } => ({ size: 0 });

/** Bytes of an unfinished file in a directory. */
async function unfinished(directory: string): Promise<number> {
  const names = await readdir(join(folder, directory)).catch(() => []);
  const part = names.find((name) => name.endsWith('.part'));
  if (part === undefined) return 0;
  const { size } = await stat(join(folder, directory, part)).catch(gone);
  return size;
}
