/** Before all tests: installs the services that they need where it can, as on a fresh machine; tests say what is missing. */
import { spawnSync } from 'node:child_process';

const services = {
  'redis-server': ['redis-server', '--version'],
  prometheus: ['promtool', '--version'],
  chromium: ['chromium', '--version'],
} as const;

export default function installServices(): void {
  installPackages(services);
}

/** @param packages of Debian: a command of each, and the flag that asks for its version */
export function installPackages(
  packages: Readonly<Record<string, readonly [command: string, flag: string]>>,
): void {
  const missing = Object.entries(packages).flatMap(([debian, [command, flag]]) =>
    spawnSync(command, [flag]).error === undefined ? [] : [debian],
  );
  if (missing.length === 0 || process.getuid?.() !== 0) return;
  console.error(`Installing ${missing.join(', ')} for the tests.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: string[]): boolean =>
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
  if (!run('install', '-y', '--no-install-recommends', ...missing)) {
    run('update');
    run('install', '-y', '--no-install-recommends', ...missing);
  }
}
