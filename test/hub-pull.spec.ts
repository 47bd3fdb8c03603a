/** Pulling from a hub that drops, stalls, lies and moves on: what is kept, what is asked again, what is refused. */
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readHubAccess } from '#hub/hub-access.js';
import type { PullProgress, PullResult } from '#hub/pull-model.js';
import { pullModel } from '#hub/pull-model.js';
import { parseRepository } from '#hub/repository.js';
import type { Fault, StubFile } from './hub-stub.js';
import { HubStub, hash, stubToken } from './hub-stub.js';
import { randomNumbers } from './random-checkpoint.js';

const id = 'owner/model';
const size = 300_000;

function bytes(seed: number, length: number): Uint8Array {
  const random = randomNumbers(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

const text = (content: string): StubFile => ({ content: Buffer.from(content) });
const weights: StubFile = { content: bytes(1, size), lfs: true };
const files = {
  'README.md': text('# A model'),
  'config.json': text('{}'),
  'tokenizer.json': text('{"model": {}}'),
  'model.safetensors': weights,
  'pytorch_model.bin': { content: bytes(2, 1000), lfs: true },
};
const needed = ['config.json', 'model.safetensors', 'tokenizer.json'];

interface Place {
  readonly hub: HubStub;
  readonly directory: string;
  readonly notes: string[];
  readonly progress: PullProgress[];
  readonly pull: (given?: string, options?: PullTestOptions) => Promise<PullResult>;
  readonly content: (name: string) => Promise<Uint8Array>;
  readonly names: () => Promise<string[]>;
}

interface PullTestOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly include?: readonly string[];
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

function busy(status: number, headers: Record<string, string>): Fault {
  return { kind: 'status', status, headers };
}

/** A hub and an empty directory of the test's own. */
async function at(test: (place: Place) => Promise<void>): Promise<void> {
  const hub = await HubStub.start();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-pull-'));
  const directory = join(folder, 'model');
  const notes: string[] = [];
  const progress: PullProgress[] = [];
  try {
    await test({
      hub,
      directory,
      notes,
      progress,
      content: (name) => readFile(join(directory, name)),
      names: async () => (await readdir(directory)).filter((name) => !name.startsWith('.')).sort(),
      async pull(given = id, { env, include = [], force = false, signal } = {}) {
        const access = await readHubAccess({ HF_ENDPOINT: hub.endpoint, HF_HOME: folder, ...env });
        return await pullModel({
          repository: parseRepository(given),
          directory,
          include,
          force,
          access,
          signal: signal ?? new AbortController().signal,
          onNote: (note) => notes.push(note),
          onProgress: (step) => progress.push(step),
          firstPauseMs: 1,
        });
      },
    });
  } finally {
    await hub.close();
    await rm(folder, { recursive: true });
  }
}

describe.concurrent('what is pulled', () => {
  it('is what a model needs, in one format, of one commit, with all hashes right', () =>
    at(async ({ hub, pull, names, content, progress }) => {
      const commit = hub.push(id, { files });
      const result = await pull();
      expect(await names()).toEqual(needed);
      expect(result.commit).toBe(commit);
      expect(result.files.map(({ name }) => name).sort()).toEqual(needed);
      for (const { name, sha256 } of result.files) expect(sha256).toBe(hash('sha256', await content(name)));
      expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
      for (const { path, asked } of hub.requests) if (asked !== 'list') expect(path).toContain(commit);
      const last = progress.at(-1)!;
      expect(last).toMatchObject({ phase: 'pulling', file: 'model.safetensors', bytes: last.totalBytes });
      expect(JSON.parse(String(await content('.sluice-pull.json')))).toMatchObject({
        repository: id,
        revision: 'main',
        commit,
        complete: true,
      });
    }));

  it('stays of the commit that the revision stood for when it began, also when it is gone on with later', () =>
    at(async ({ hub, pull, content, directory }) => {
      const commit = hub.push(id, { files });
      await stopAt(100_000, hub, directory, pull);
      hub.push(id, { files: { ...files, 'config.json': text('{"new": true}') } });
      expect((await pull()).commit).toBe(commit);
      expect(String(await content('config.json'))).toBe('{}');
      expect(hub.sent('model.safetensors')).toBe(size);
    }));

  it('takes a branch, a tag with a slash or a commit', () =>
    at(async ({ hub, pull }) => {
      const old = hub.push(id, { files: { ...files, 'config.json': text('{"old": 1}') } }, 'refs/pr/1');
      hub.push(id, { files });
      expect((await pull(`${id}@refs/pr/1`)).commit).toBe(old);
      expect((await pull(`${id}@${old}`)).files.every(({ kept }) => kept)).toBe(true);
    }));

  it('follows an index to its shards, and no other weights', () =>
    at(async ({ hub, pull, names }) => {
      const shard = 'model-00001-of-00002.safetensors';
      const other = 'model-00002-of-00002.safetensors';
      const index = JSON.stringify({ metadata: {}, weight_map: { a: shard, b: other, c: shard } });
      const sharded = {
        'config.json': text('{}'),
        'vocab.txt': text('a'),
        'model.safetensors.index.json': text(index),
        [shard]: { content: bytes(3, 5000), lfs: true },
        [other]: { content: bytes(4, 6000), lfs: true },
        'model.fp16-00001-of-00001.safetensors': { content: bytes(5, 100), lfs: true },
      };
      hub.push(id, { files: sharded });
      await pull();
      expect(await names()).toEqual(
        ['config.json', shard, other, 'model.safetensors.index.json', 'vocab.txt'].sort(),
      );
      const { [other]: _, ...without } = sharded;
      hub.push('owner/torn', { files: without });
      await expect(pull('owner/torn@main')).rejects.toThrow('holds owner/model');
    }));

  it('refuses an index that names a shard which is not there', () =>
    at(async ({ hub, pull }) => {
      const index = text(JSON.stringify({ weight_map: { a: '../../etc/passwd' } }));
      hub.push(id, {
        files: { 'config.json': text('{}'), 'vocab.txt': text('a'), 'model.safetensors.index.json': index },
      });
      await expect(pull()).rejects.toMatchObject({
        name: 'ShardIndexError',
        file: 'model.safetensors.index.json',
        message: expect.stringContaining('passwd, which is not there'),
      });
    }));

  it('brings the files of patterns besides, into their folders', () =>
    at(async ({ hub, pull, content, names }) => {
      hub.push(id, {
        files: { 'Epoch_3.bin': weights, 'vocab.txt': text('a'), 'conf/fastbert_cls.json': text('1') },
      });
      await pull(id, { include: ['Epoch_*.bin', '**/*.json'] });
      expect(await names()).toEqual(['Epoch_3.bin', 'conf', 'vocab.txt']);
      expect(String(await content('conf/fastbert_cls.json'))).toBe('1');
    }));
});

describe.concurrent('trouble that passes', () => {
  it('goes on where a connection broke', () =>
    at(async ({ hub, pull, content, notes }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', { kind: 'drop', after: 200_000 });
      await pull();
      expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
      const again = hub.requests.at(-1)!;
      const offset = Number(/^bytes=(\d+)-$/.exec(again.range!)![1]);
      expect(offset).toBeGreaterThan(0);
      expect(again.sent).toBe(size - offset);
      expect(notes).toEqual([
        expect.stringMatching(/^the connection to 127\.0\.0\.1:\d+ broke .*; trying again$/),
      ]);
    }));

  it('goes on where an answer ended too early', () =>
    at(async ({ hub, pull, content }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', { kind: 'short', after: 100_000 });
      await pull();
      expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
      expect(hub.sent('model.safetensors')).toBe(size);
    }));

  it('goes on when the hub has been silent for too long', () =>
    at(async ({ hub, pull, content, notes }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', { kind: 'stall', after: 100_000 });
      await pull(id, { env: { HF_HUB_DOWNLOAD_TIMEOUT: '0.5' } });
      expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
      expect(hub.sent('model.safetensors')).toBe(size);
      expect(notes[0]).toMatch(/has sent nothing for 0\.5 s; trying again$/);
    }));

  it('waits as long as it is asked to, and tries again, for files and lists', () =>
    at(async ({ hub, pull, notes }) => {
      hub.push(id, { files });
      hub.fail('list', busy(503, { 'retry-after': '0' }), busy(429, { ratelimit: '"api";r=0;t=0' }));
      hub.fail(
        'model.safetensors',
        busy(429, { 'retry-after': '0' }),
        busy(502, { 'retry-after': '0' }),
        busy(403, {}),
      );
      await pull();
      expect(notes).toHaveLength(5);
    }));

  it('gives up after five failures in a row, at once where the wait is too long', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', ...Array.from({ length: 5 }, () => busy(503, { 'retry-after': '0' })));
      await expect(pull()).rejects.toMatchObject({ name: 'HubStatusError', status: 503 });
      hub.fail('list', busy(429, { 'retry-after': '3600' }));
      await expect(pull()).rejects.toMatchObject({ name: 'HubStatusError', waitMs: 3_600_000 });
    }));

  it('is not taken for an end of failures where a server always begins anew', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files });
      const drop = { kind: 'short', after: 80_000, ignoresRange: true } as const;
      hub.fail('model.safetensors', drop, drop, drop, drop, drop, drop);
      await expect(pull()).rejects.toMatchObject({ name: 'ShortAnswerError', bytes: 80_000 });
    }));

  it.for(['ignore-range', 'other-etag', 'wrong-range'] as const)(
    'begins anew where the rest cannot be had: %s',
    (kind) =>
      at(async ({ hub, pull, content }) => {
        hub.push(id, { files });
        hub.fail('model.safetensors', { kind: 'short', after: 100_000 }, { kind });
        await pull();
        expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
        expect(hub.requests.at(-1)!.sent).toBe(size);
      }),
  );
});

describe.concurrent('what is here already', () => {
  it('is kept where its hash is right, and pulled again where it is not', () =>
    at(async ({ hub, pull, directory }) => {
      hub.push(id, { files });
      await pull();
      const sent = hub.sent();
      expect((await pull()).files.every(({ kept }) => kept)).toBe(true);
      expect(hub.sent()).toBe(sent);
      await writeFile(join(directory, 'config.json'), '[]');
      const again = await pull();
      expect(again.files.filter(({ kept }) => !kept).map(({ name }) => name)).toEqual(['config.json']);
      expect(hub.sent() - sent).toBe(2);
    }));

  it('is gone on with by another process, and begun anew where it is of other bytes', () =>
    at(async ({ hub, pull, directory, content, notes }) => {
      hub.push(id, { files });
      await stopAt(100_000, hub, directory, pull);
      const sent = hub.sent('model.safetensors');
      expect(sent).toBe(100_000);
      const part = join(directory, (await partName(directory))!);
      await writeFile(part, Buffer.alloc(50_000));
      await pull();
      expect(Buffer.compare(await content('model.safetensors'), weights.content)).toBe(0);
      expect(hub.sent('model.safetensors') - sent).toBe(size - 50_000 + size);
      expect(notes).toEqual([expect.stringContaining('does not fit the rest')]);
      expect(await partName(directory)).toBeUndefined();
    }));

  it('is not mixed with another commit', () =>
    at(async ({ hub, pull, content, names, directory }) => {
      const old = hub.push(id, { files });
      await pull();
      await writeFile(join(directory, 'notes.txt'), 'mine');
      const { 'model.safetensors': _, ...others } = files;
      const commit = hub.push(id, { files: { ...others, 'config.json': text('{"v": 2}') } });
      await expect(pull()).rejects.toMatchObject({
        name: 'PullTargetError',
        message: expect.stringMatching(new RegExp(`holds commit ${old}.*${commit} now.*--force`)),
      });
      hub.fail('pytorch_model.bin', { kind: 'status', status: 404 }, { kind: 'wrong-bytes' });
      await expect(pull(id, { force: true })).rejects.toMatchObject({ name: 'ChecksumError' });
      // Nothing of the old commit that differs is left beside what has come of the new one.
      expect(await names()).toEqual(['config.json', 'notes.txt', 'tokenizer.json']);
      expect((await pull()).commit).toBe(commit);
      expect(await names()).toEqual(['config.json', 'notes.txt', 'pytorch_model.bin', 'tokenizer.json']);
      expect(String(await content('config.json'))).toBe('{"v": 2}');
    }));

  it('is not gone on with as another version', () =>
    at(async ({ hub, pull, directory, content }) => {
      hub.push(id, { files });
      await stopAt(100_000, hub, directory, pull);
      const newer: StubFile = { content: bytes(7, size), lfs: true };
      hub.push(id, { files: { ...files, 'model.safetensors': newer } });
      await pull(id, { force: true });
      expect(Buffer.compare(await content('model.safetensors'), newer.content)).toBe(0);
      expect(hub.sent('model.safetensors')).toBe(100_000 + size);
      expect(await partName(directory)).toBeUndefined();
    }));

  it('is not written to by two at once', () =>
    at(async ({ hub, pull, content }) => {
      hub.push('owner/slow', { files });
      hub.push(id, { files });
      hub.fail('list', busy(503, { 'retry-after': '1' }));
      const slow = expect(pull('owner/slow')).rejects.toThrow('holds owner/model: choose another directory.');
      while (hub.requests.length === 0) await pause(5);
      await pull();
      await slow;
      expect(String(await content('.sluice-pull.json'))).not.toContain('slow');
    }));

  it('of somebody else is refused before anything is asked or written', () =>
    at(async ({ hub, pull, directory, names }) => {
      hub.push(id, { files });
      await mkdir(directory);
      await writeFile(join(directory, 'thesis.tex'), '');
      await expect(pull()).rejects.toThrow('is not empty and was not pulled');
      expect(hub.requests).toEqual([]);
      expect(await names()).toEqual(['thesis.tex']);
    }));
});

describe.concurrent('what is refused', () => {
  it('a manifest that names files elsewhere, before any of them is replaced', () =>
    at(async ({ hub, pull, directory, content }) => {
      hub.push(id, { files });
      await pull();
      const manifest = JSON.parse(String(await content('.sluice-pull.json')));
      const victim = { name: '../victim', size: 1, checksum: 'sha256:' };
      const forged = { ...manifest, commit: '0'.repeat(40), files: [victim] };
      await writeFile(join(directory, '../victim'), 'mine');
      await writeFile(join(directory, '.sluice-pull.json'), JSON.stringify(forged));
      await expect(pull(id, { force: true })).rejects.toThrow('.sluice-pull.json that cannot be read');
      await writeFile(join(directory, '.sluice-pull.json'), '{');
      await expect(pull(id, { force: true })).rejects.toMatchObject({ name: 'PullTargetError' });
      expect(String(await content('../victim'))).toBe('mine');
    }));

  it.for(['wrong-bytes', 'longer'] as const)('bytes that are not those of the list: %s', (kind) =>
    at(async ({ hub, pull, names }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', { kind });
      const name = kind === 'longer' ? 'TooLongError' : 'ChecksumError';
      await expect(pull()).rejects.toMatchObject({ name, file: 'model.safetensors' });
      expect(await names()).toEqual(['config.json', 'tokenizer.json']);
      await pull();
      expect(await names()).toEqual(needed);
    }),
  );

  it('a length that is not the missing one, before any of it is taken', () =>
    at(async ({ hub, pull, progress }) => {
      hub.push(id, { files });
      hub.fail('model.safetensors', { kind: 'other-size' });
      await expect(pull()).rejects.toMatchObject({ name: 'WrongSizeError', expected: size, found: size - 1 });
      expect(Math.max(...progress.map(({ bytes }) => bytes))).toBeLessThan(100);
    }));

  it('pages for people, in place of a list or a file', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files });
      hub.fail('list', { kind: 'html' });
      await expect(pull()).rejects.toThrow(/other than JSON .* check HF_ENDPOINT/);
      hub.fail('model.safetensors', { kind: 'html' });
      await expect(pull()).rejects.toThrow(/sends a page for people in place of model\.safetensors/);
    }));

  it('models that are private, gated, missing, or of which nothing can be read', () =>
    at(async ({ hub, pull, directory }) => {
      await expect(pull()).rejects.toThrow(
        /^owner\/model: 127.* has no such model, or it is private.*HF_TOKEN\.$/,
      );
      const env = { HF_TOKEN: stubToken };
      await expect(pull(id, { env })).rejects.toThrow(/the rights of the token\.$/);
      hub.push(id, { files, access: 'private' });
      await expect(pull()).rejects.toMatchObject({ name: 'RepositoryNotFoundError', withToken: false });
      hub.push(id, { files, access: 'gated' });
      await expect(pull()).rejects.toThrow(
        `accept its terms at ${hub.endpoint}/owner/model, then set HF_TOKEN.`,
      );
      await rm(directory, { recursive: true });
      await expect(pull(`${id}@v9`)).rejects.toThrow('owner/model has no branch, tag or commit v9');
      hub.push('owner/tf', {
        files: { 'config.json': text('{}'), 'vocab.txt': text(''), 'tf_model.h5': weights },
      });
      await expect(pull('owner/tf')).rejects.toMatchObject({
        name: 'NotReadableError',
        missing: 'weights',
        message: expect.stringContaining('found config.json, vocab.txt, tf_model.h5'),
      });
      await expect(pull('owner/tf', { include: ['*.onnx'] })).rejects.toThrow(
        '--include *.onnx matches no file',
      );
      // What came to nothing leaves nothing.
      await expect(stat(directory)).rejects.toThrow('ENOENT');
    }));

  it.for([
    '../evil',
    '/etc/evil',
    'a/../../evil',
    'a\\evil',
    'C:evil',
    'a/\u001b[2Jevil',
    '.sluice-pull.json',
    'a//evil',
  ])('a file of the name %j', (name) =>
    at(async ({ hub, pull, directory }) => {
      hub.push(id, { files: { ...files, [name]: text('evil') } });
      await expect(pull(id, { include: ['**'] })).rejects.toMatchObject({
        name: 'UnsafeNameError',
        message: expect.not.stringContaining('\u001b'),
      });
      await expect(stat(directory)).rejects.toThrow('ENOENT');
      // Unless it is asked for, it is nobody's business.
      await pull();
    }),
  );

  it('more than the disk has room for, before any of it comes', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files: { ...files, 'model.safetensors': { ...weights, listedSize: 2 ** 52 } } });
      await expect(pull()).rejects.toMatchObject({ name: 'DiskSpaceError', needed: expect.any(Number) });
      expect(hub.sent()).toBe(0);
    }));

  it('files of another commit', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files, claims: 'f'.repeat(40) });
      await expect(pull()).rejects.toMatchObject({
        name: 'HubAnswerError',
        message: expect.stringContaining(`serves commit ${'f'.repeat(40)} for `),
      });
    }));

  it('a hub that tells no checksums', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files, tellsBlobs: false });
      await expect(pull()).rejects.toThrow(
        /tells no size and checksum of config\.json, so it cannot be checked\.$/,
      );
    }));

  it('a list of another form', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files: { ...files, 'config.json': { ...text('{}'), listedSize: -1 } } });
      await expect(pull()).rejects.toMatchObject({
        name: 'HubAnswerError',
        message: expect.stringContaining('lists a model in a form that was not expected (siblings.1.size'),
      });
    }));

  it('redirects without end, to other protocols, and addresses with a password', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files });
      const loop = { kind: 'redirect', to: '/api/models/owner/model/revision/main' } as const;
      hub.fail('list', ...Array.from({ length: 9 }, () => loop));
      await expect(pull()).rejects.toThrow('redirects more than 8 times');
      for (const to of ['file:///etc/passwd', 'http://user:word@127.0.0.1/', 'http://']) {
        hub.fail('list', { kind: 'redirect', to });
        await expect(pull()).rejects.toThrow('redirects to something that is no address');
      }
    }));
});

describe.concurrent('the token', () => {
  it('goes to the hub itself and to no other origin, not even back from one', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files, access: 'private' });
      await pull(id, { env: { HF_TOKEN: stubToken } });
      const authorized = hub.requests.map(({ server, authorization }) => `${server} ${authorization ?? '-'}`);
      expect(new Set(authorized)).toEqual(new Set([`hub Bearer ${stubToken}`, 'storage -']));
    }));

  it('does not go to the hub where another origin leads back to it', () =>
    at(async ({ hub, pull }) => {
      hub.push(id, { files, access: 'private' });
      hub.fail('model.safetensors', {
        kind: 'redirect',
        to: `${hub.endpoint}/owner/model/resolve/main/led-back`,
      });
      await pull(id, { env: { HF_TOKEN: stubToken } });
      const back = hub.requests.find(({ asked }) => asked === 'led-back')!;
      expect(back).toMatchObject({ server: 'hub', authorization: undefined });
    }));
});

/** Stops a pull when so many bytes of the weights are on disk. */
async function stopAt(bytes: number, hub: HubStub, directory: string, pull: Place['pull']): Promise<void> {
  const stop = new AbortController();
  hub.fail('model.safetensors', { kind: 'stall', after: bytes });
  const stopped = pull(id, { signal: stop.signal });
  while ((await partSize(directory)) < bytes) await pause(5);
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ name: 'PullStoppedError' });
}

async function partName(directory: string): Promise<string | undefined> {
  const names = await readdir(directory).catch(() => []);
  return names.find((name) => name.startsWith('model.safetensors.') && name.endsWith('.part'));
}

async function partSize(directory: string): Promise<number> {
  const name = await partName(directory);
  return name === undefined ? 0 : (await stat(join(directory, name))).size;
}
