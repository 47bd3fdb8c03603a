import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { allows, ApiKeys, readKeys } from './api-keys.js';
import { sessionSecret } from './session-secret.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const entry = (id: string, key: string, scope: string): unknown => ({
  id,
  sha256: createHash('sha256').update(key).digest('hex'),
  scope,
});

async function keys(...entries: unknown[]): Promise<ApiKeys> {
  const file = join(folder, 'keys.json');
  await writeFile(file, JSON.stringify(entries));
  return new ApiKeys(readKeys(file), await sessionSecret(folder));
}

it('knows whose a key is, and no other', async () => {
  const known = await keys(entry('ann', 'first', 'read'), entry('bob', 'second', 'admin'));
  expect(known.callerOf('second')).toEqual({ id: 'bob', scope: 'admin' });
  for (const wrong of ['', 'First', 'second ', entry('ann', 'first', 'read')]) {
    expect(known.callerOf(String(wrong))).toBeUndefined();
  }
});

it('lets a browser in by its session until it ends, the keys change, or a byte of it does', async () => {
  const known = await keys(entry('ann', 'first', 'submit'));
  const { value } = known.newSession({ id: 'ann', scope: 'submit' });
  expect(known.callerOfSession(value)).toEqual({ id: 'ann', scope: 'submit' });
  for (const wrong of ['', 'ann', value.replace('ann', 'bob'), value.replace(/\.(\d)/, '.9'), `${value}x`]) {
    expect(known.callerOfSession(wrong), wrong).toBeUndefined();
  }
  expect((await keys(entry('ann', 'other', 'submit'))).callerOfSession(value)).toBeUndefined();
  vi.useFakeTimers({ now: Date.now() + 13 * 60 * 60 * 1000, toFake: ['Date'] });
  expect(known.callerOfSession(value)).toBeUndefined();
  vi.useRealTimers();
});

it('signs sessions with what all producers of a folder share, and nobody else can read', async () => {
  const first = await keys(entry('ann', 'first', 'submit'));
  const { value } = first.newSession({ id: 'ann', scope: 'submit' });
  const file = join(folder, 'keys.json');
  const [here, there] = await Promise.all([sessionSecret(folder), sessionSecret(folder)]);
  expect(new ApiKeys(readKeys(file), here).callerOfSession(value)?.id).toBe('ann');
  expect(there).toEqual(here);
  expect((await stat(join(folder, '.session-secret'))).mode & 0o077).toBe(0);
  // The keys file alone makes no session.
  const other = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
  expect(new ApiKeys(readKeys(file), await sessionSecret(other)).callerOfSession(value)).toBeUndefined();
  await rm(other, { recursive: true });
});

it('lets nobody in by a session of another key that had the same id', async () => {
  const before = await keys(entry('ann', 'first', 'submit'), entry('bob', 'second', 'read'));
  const { value } = before.newSession({ id: 'ann', scope: 'submit' });
  const changed = await keys(entry('ann', 'third', 'submit'), entry('bob', 'second', 'read'));
  expect(changed.callerOfSession(value)).toBeUndefined();
  const others = await keys(entry('ann', 'first', 'submit'));
  expect(others.callerOfSession(value)?.id).toBe('ann');
});

it('refuses a file that holds keys in the clear, or none', async () => {
  await expect(keys({ id: 'ann', key: 'first', scope: 'read' })).rejects.toThrow('as sluice key writes them');
  expect(() => readKeys(join(folder, 'none.json'))).toThrow('cannot be read as JSON');
});

it('allows what a lesser scope does', () => {
  expect(allows('admin', 'read')).toBe(true);
  expect(allows('submit', 'submit')).toBe(true);
  expect(allows('read', 'submit')).toBe(false);
});
