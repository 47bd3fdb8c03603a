/** The command line, and other clients, before a producer: keys, names of hosts, watching that ends early. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '#inference/fingerprint.js';
import { CliProcess, runCli } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let folder: string;
let fleet: ServiceFleet;
/** Lets in everyone of this machine; the other one asks for a key. */
let open: Producer;
let locked: Producer;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-command-line-'));
  // Quiet or not, it is the only place that ever tells the key.
  const made = await runCli(['key', 'ann', '--file', 'keys.json', '--quiet'], { cwd: folder });
  key = made.stdout.trim();
  fleet = await ServiceFleet.start();
  // As if there were workers: runs stand still.
  open = await fleet.producer({ SLUICE_PRODUCER_FINGERPRINT: fingerprint() });
  locked = await fleet.producer({
    SLUICE_PRODUCER_KEYS_FILE: join(folder, 'keys.json'),
    // Or it takes the other's runs.
    SLUICE_PRODUCER_RUNS_ROOT: join(folder, 'runs'),
  });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

const status = (path: string, headers: Record<string, string>, method = 'GET'): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(path, { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('watching that Ctrl-C ends', () => {
  it.each(['watch', 'submit --watch'])('%s says that the run goes on', async (how) => {
    await writeFile(join(folder, 'mails.jsonl'), '{"text":"you have won"}\n');
    const options = { cwd: folder, env: { SLUICE_SERVER: open.api } };
    const submit = ['submit', 'mails.jsonl', '--model', 'spam'];
    let args = [...submit, '--watch'];
    if (how === 'watch') {
      const { id }: { id: string } = JSON.parse((await runCli([...submit, '--json'], options)).stdout);
      args = ['watch', id];
    }
    const watching = new CliProcess(args, options);
    // The run's own words: what watches is connected.
    await watching.saying(/No worker serves/);
    watching.kill('SIGINT');
    const { end, stdout, stderr } = await watching.ended;
    expect({ end, stdout }).toEqual({ end: 130, stdout: '' });
    expect(stderr).toMatch(/^sluice: The run goes on: sluice watch [a-z0-9]{12}$/m);
    expect(stderr).not.toContain('aborted');
  });
});

const runs = (env: NodeJS.ProcessEnv) => runCli(['runs'], { env: { SLUICE_SERVER: locked.api, ...env } });

describe('a key', () => {
  it('is let in; without one, or with one that is not known, the variables are named', async () => {
    const known = await runs({ SLUICE_API_KEY: `${key}\n` });
    expect([known.end, known.stderr]).toEqual([0, '']);
    for (const env of [{}, { SLUICE_API_KEY: '' }]) {
      const none = await runs(env);
      expect([none.end, none.stderr]).toEqual([
        1,
        expect.stringMatching(/^sluice: Expected an API key.* Name yours with SLUICE_API_KEY, /),
      ]);
    }
    const wrong = await runs({ SLUICE_API_KEY: 'sluice_wrong' });
    expect([wrong.end, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/^sluice: This producer does not know the API key.* SLUICE_API_KEY/),
    ]);
  });

  it.each(['sluice_se\ncret', 'sluice_secrét', 'sluice_secret ключ'])(
    '%j is none, and is not shown',
    async (no) => {
      const { end, stdout, stderr } = await runs({ SLUICE_API_KEY: no });
      expect([end, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^sluice: The API key has a character that keys do not have.*\n$/);
      expect(stderr).not.toContain('sluice_');
    },
  );

  it('may have its scheme in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      expect(await status(`${locked.api}/v1/runs`, { authorization: `${scheme} ${key}` })).toBe(200);
    }
  });
});

it('names of this machine ignore case, and may end with a dot', async () => {
  const { port } = new URL(open.api);
  for (const host of ['LOCALHOST', 'localhost.', `LocalHost.:${port}`]) {
    expect(await status(`${open.api}/v1/runs`, { host })).toBe(200);
  }
  for (const host of ['evil.example', 'localhost.evil.example', 'localhost..']) {
    expect(await status(`${open.api}/v1/runs`, { host })).toBe(403);
  }
  const post = (origin: string) =>
    status(`${open.api}/v1/runs/none/cancel`, { host: `LOCALHOST:${port}`, origin }, 'POST');
  expect(await post(`http://localhost.:${port}`)).not.toBe(403);
  expect(await post('http://evil.example')).toBe(403);
});
