import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '#run/usage-error.js';
import { pythonVersion } from './python-environment.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-python-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A program that answers as a Python of a version would, and fails at what it is asked behind that. */
async function python(version: string): Promise<string> {
  const path = join(scratch, `python-${version}`);
  await writeFile(path, `#!/bin/sh\ncase "$2" in *version_info*) echo ${version};; *) exit 1;; esac\n`);
  await chmod(path, 0o755);
  return path;
}

describe('pythonVersion', () => {
  it('says what is missing where there is no Python', async () => {
    const missing = join(scratch, 'nowhere');
    await expect(pythonVersion(missing)).rejects.toThrow(UsageError);
    await expect(pythonVersion(missing)).rejects.toThrow('cannot be run');
  });

  it('refuses a Python that is too old', async () => {
    await expect(pythonVersion(await python('3.9'))).rejects.toThrow('need Python 3.11 or later');
  });

  it('refuses a Python without venv', async () => {
    await expect(pythonVersion(await python('3.12'))).rejects.toThrow('venv');
  });
});
