import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHubAccess } from './hub-access.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-hub-'));
});
afterEach(() => rm(home, { recursive: true }));

describe('the token', () => {
  it('is that of the environment before that of the file, the newer variable before the older', async () => {
    await writeFile(join(home, 'token'), 'hf_file\n');
    const token = async (env: NodeJS.ProcessEnv): Promise<string | undefined> =>
      (await readHubAccess({ HF_HOME: home, ...env })).token;
    expect(await token({ HF_TOKEN: ' hf_new\n', HUGGING_FACE_HUB_TOKEN: 'hf_old' })).toBe('hf_new');
    expect(await token({ HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'hf_old' })).toBe('hf_old');
    expect(await token({})).toBe('hf_file');
    expect(await token({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBeUndefined();
    await writeFile(join(home, 'other'), 'hf_other');
    expect(await token({ HF_TOKEN_PATH: join(home, 'other') })).toBe('hf_other');
    expect(await token({ HF_HOME: join(home, 'none') })).toBeUndefined();
    await mkdir(join(home, 'huggingface'));
    await writeFile(join(home, 'huggingface', 'token'), 'hf_cache');
    expect(await token({ HF_HOME: '', XDG_CACHE_HOME: home })).toBe('hf_cache');
  });

  it('crosses no network in clear text', async () => {
    const env = { HF_HOME: home, HF_TOKEN: 'hf_a' };
    const access = await readHubAccess({ ...env, HF_ENDPOINT: 'http://hub.example.com' });
    expect(access).toMatchObject({ token: undefined, tokenWithheld: true });
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:9']) {
      const near = await readHubAccess({ ...env, HF_ENDPOINT: `http://${host}` });
      expect(near).toMatchObject({ token: 'hf_a', tokenWithheld: false });
    }
  });

  it('that is none is refused without being printed', async () => {
    for (const token of ['hf_a b', 'hf_ü', 'hf_a\nhf_b']) {
      const reading = readHubAccess({ HF_HOME: home, HF_TOKEN: token });
      await expect(reading).rejects.toMatchObject({
        name: 'HubSettingError',
        message: 'HF_TOKEN holds blanks or characters that no token has.',
      });
    }
    await expect(readHubAccess({ HF_TOKEN_PATH: home })).rejects.toThrow(
      /token file .* cannot be read \(EISDIR\)/,
    );
  });
});

async function endpoint(given?: string): Promise<string> {
  return (await readHubAccess({ HF_HOME: home, HF_ENDPOINT: given })).endpoint;
}

it('is the public hub unless told, without a slash at its end', async () => {
  expect(await endpoint()).toBe('https://huggingface.co');
  expect(await endpoint('https://mirror.example.com/hub/')).toBe('https://mirror.example.com/hub');
});

it.each([
  [{ HF_ENDPOINT: 'hub.example.com' }, /^HF_ENDPOINT is no address/],
  [{ HF_ENDPOINT: 'file:///etc' }, /^HF_ENDPOINT is no address/],
  [
    { HF_ENDPOINT: 'https://me:secret@hub.example.com' },
    /^HF_ENDPOINT holds a user name or password: use HF_TOKEN/,
  ],
  [{ HF_HUB_OFFLINE: '1' }, /^HF_HUB_OFFLINE is set/],
  [{ HF_HUB_DOWNLOAD_TIMEOUT: 'long' }, /^HF_HUB_DOWNLOAD_TIMEOUT is long: expected seconds/],
])('refuses %o', async (env, message) => {
  await expect(readHubAccess({ HF_HOME: home, ...env })).rejects.toThrow(message);
});
