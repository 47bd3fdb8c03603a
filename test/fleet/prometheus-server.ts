/** A real Prometheus of a test's own: with the rules of deploy/, on loopback, in a folder that goes with it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { freePort } from '../../apps/cli/src/dev/free-port.js';
import { prometheusFolder } from '../prometheus/deploy-files.js';

const STARTS_WITHIN_MS = 60_000;
const GIVES_WITHIN_MS = 60_000;
const INTERVAL_MS = 1000;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

/** A rule that runs. */
export interface RunningRule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  readonly state?: 'inactive' | 'pending' | 'firing';
  readonly lastEvaluation: string;
}

export class PrometheusServer {
  readonly #url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #log = '';

  private constructor(url: string, folder: string, args: readonly string[]) {
    this.#url = url;
    this.#folder = folder;
    this.#process = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.on('error', (error) => (this.#log += String(error)));
    this.#process.stderr!.setEncoding('utf8').on('data', (block: string) => (this.#log += block));
  }

  /**
   * As deploy/prometheus/prometheus.yaml has it, but that it looks every second, and where services of a test are.
   * @param targets addresses by job of that file
   */
  static async start(targets: Readonly<Record<string, readonly string[]>>): Promise<PrometheusServer> {
    const config = parse(await readFile(join(prometheusFolder, 'prometheus.yaml'), 'utf8'));
    const jobs: { job_name: string }[] = config.scrape_configs;
    const folder = await mkdtemp(join(tmpdir(), 'sluice-prometheus-'));
    const file = join(folder, 'prometheus.yaml');
    const changed = {
      global: { scrape_interval: `${INTERVAL_MS}ms`, evaluation_interval: `${INTERVAL_MS}ms` },
      rule_files: [join(prometheusFolder, 'rules/*.yaml')],
      scrape_configs: jobs.map(({ job_name }) => ({
        job_name,
        static_configs: [{ targets: targets[job_name]!.map((url) => new URL(url).host) }],
      })),
    };
    await writeFile(file, stringify(changed));
    const address = `127.0.0.1:${await freePort()}`;
    const server = new PrometheusServer(`http://${address}`, folder, [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ]);
    await server.#answers();
    return server;
  }

  /** What an expression gives now. @throws Error where it is none */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result }: { result: Sample[] } = await this.#get(`query?query=${encodeURIComponent(expr)}`);
    return result;
  }

  /** Waits until an expression gives something. @throws Error where it takes too long */
  async until(expr: string): Promise<void> {
    const end = performance.now() + GIVES_WITHIN_MS;
    while ((await this.query(expr)).length === 0) {
      if (performance.now() > end) throw new Error(`${expr} gives nothing within ${GIVES_WITHIN_MS} ms.`);
      await sleep(100);
    }
  }

  /** The rules, each of them evaluated on what is known now. @throws Error where that takes too long */
  async rules(): Promise<readonly RunningRule[]> {
    // An evaluation that starts late is of the moment when it should have started.
    const after = Date.now() + INTERVAL_MS;
    const end = performance.now() + GIVES_WITHIN_MS;
    for (;;) {
      const { groups }: { groups: { rules: RunningRule[] }[] } = await this.#get('rules');
      const rules = groups.flatMap((group) => group.rules);
      if (rules.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > after)) return rules;
      if (performance.now() > end) throw new Error(`Rules are not evaluated within ${GIVES_WITHIN_MS} ms.`);
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'close');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #get<Data>(path: string): Promise<Data> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const { data, error }: { data: Data; error?: string } = JSON.parse(await answer.text());
    if (error !== undefined) throw new Error(`Prometheus answers ${path} with: ${error}`);
    return data;
  }

  async #answers(): Promise<void> {
    const until = performance.now() + STARTS_WITHIN_MS;
    while (performance.now() < until && this.#process.exitCode === null) {
      const answer = await fetch(`${this.#url}/-/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error(
      `Prometheus does not answer; it needs Debian's package prometheus (apt-get install prometheus). ${this.#log}`,
    );
  }
}
