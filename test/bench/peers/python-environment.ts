import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '#run/usage-error.js';
import { peersFolder } from './peers-folder.js';
import { runPython } from './run-python.js';

/** The oldest Python that all pinned packages are there for. */
const OLDEST_PYTHON = [3, 11] as const;

/** Written when an environment is whole. */
const MARK = 'sluice-peers-ready';

/** Of a PyTorch that is linked against CUDA. */
const askWhetherCuda =
  "from importlib.metadata import requires; print(any(name.startswith('nvidia') for name in requires('torch') or []))";

/**
 * A virtual environment with exactly the pinned packages. It is made where there is none of these requirements and this
 * Python, and replaces an older one.
 * @param cache folder to keep it in
 * @returns its interpreter
 * @throws UsageError without a Python that can do it, PythonFailedError when a package cannot be installed
 */
export async function pythonEnvironment(cache: string, say: (line: string) => void): Promise<string> {
  const version = await pythonVersion('python3');
  const [packages, cuda] = ['requirements.txt', 'requirements-cuda.txt'].map((name) =>
    join(peersFolder, name),
  );
  const hash = createHash('sha256').update(version);
  for (const file of [packages!, cuda!]) hash.update(await readFile(file));
  const name = `peers-python-${hash.digest('hex').slice(0, 12)}`;
  const folder = join(cache, name);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(join(folder, MARK))) {
    say(`Python environment: ${folder}, made before`);
    return python;
  }
  say(`… making a Python ${version} environment in ${folder}: a download of some GB, once`);
  await mkdir(cache, { recursive: true });
  for (const entry of await readdir(cache)) {
    if (entry.startsWith('peers-python-')) await rm(join(cache, entry), { recursive: true });
  }
  await runPython('python3', ['-m', 'venv', folder]);
  await install(python, packages!);
  if ((await output(python, ['-c', askWhetherCuda])) === 'True') {
    say('… this PyTorch is linked against CUDA and needs its libraries to load, though not to compute');
    await install(python, cuda!);
  }
  await writeFile(join(folder, MARK), '');
  return python;
}

/** @throws UsageError where there is no such Python, or it is too old, or cannot make environments */
export async function pythonVersion(python: string): Promise<string> {
  const oldest = OLDEST_PYTHON.join('.');
  let version: string;
  try {
    version = await output(python, ['-c', "print('%d.%d' % __import__('sys').version_info[:2])"]);
  } catch {
    throw new UsageError(
      `The peers need ${python}, version ${oldest} or later; it cannot be run. Install Python, or give --python.`,
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1])) {
    throw new UsageError(`The peers need Python ${oldest} or later; ${python} is ${version}.`);
  }
  try {
    await output(python, ['-c', 'import ensurepip, venv']);
  } catch {
    throw new UsageError(
      `${python} cannot make virtual environments: its modules venv and ensurepip are missing. Install them (Debian: python3-venv).`,
    );
  }
  return version;
}

function install(python: string, requirements: string): Promise<number> {
  const options = ['--no-deps', '--disable-pip-version-check', '--progress-bar=off', '--quiet'];
  return runPython(python, ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
}

async function output(python: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(python, args)).stdout.trim();
}
