/** A real redis-server of a test's own: on loopback, on a free port, in a folder that goes with it. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../apps/cli/src/dev/free-port.js';

const STARTS_WITHIN_MS = 10_000;

export class RedisServer {
  readonly url: string;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess;

  private constructor(url: string, folder: string, args: readonly string[]) {
    this.url = url;
    this.#folder = folder;
    this.#arguments = args;
    this.#process = this.#spawn();
  }

  /** @param settings as redis.conf has them, beside an append-only file that is written every second */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
    expectRedis();
    const folder = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
    const port = await freePort();
    const all = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'yes', ...settings };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const scheme = 'tls-port' in settings ? 'rediss' : 'redis';
    const server = new RedisServer(`${scheme}://127.0.0.1:${settings['tls-port'] ?? port}`, folder, args);
    // Who sets up TLS or users knows how to ask.
    if (scheme === 'redis') await server.#answers();
    return server;
  }

  /** Ends it at once, as a crash does; its data stays. */
  async kill(): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** On the same port, with the data that it has on disk. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#answers();
  }

  /** It takes commands and answers none, until it goes on. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    return spawn('redis-server', this.#arguments, { stdio: 'ignore' });
  }

  async #answers(): Promise<void> {
    // Where users have rights of their own, a stranger may not ask whether it has loaded its data.
    const enableReadyCheck = !this.#arguments.includes('--aclfile');
    const redis = new Redis(this.url, {
      enableReadyCheck,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    redis.on('error', () => undefined);
    try {
      const late = sleep(STARTS_WITHIN_MS, 'late' as const, { ref: false });
      if ((await Promise.race([redis.ping(), late])) === 'late') {
        throw new Error(`redis-server at ${this.url} does not answer within ${STARTS_WITHIN_MS} ms.`);
      }
    } finally {
      redis.disconnect();
    }
  }
}

/** @throws Error that says what to install */
function expectRedis(): void {
  if (spawnSync('redis-server', ['--version']).status === 0) return;
  throw new Error(
    'This test needs redis-server 6.2 or later: install it (Debian: apt-get install redis-server).',
  );
}
