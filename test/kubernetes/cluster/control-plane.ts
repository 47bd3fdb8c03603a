/** A control plane of Kubernetes without nodes: etcd, API server, controllers; on loopback, in a folder that goes with it. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../apps/cli/src/dev/free-port.js';
import { ToolMissingError } from '../go-modules.js';
import { kubernetesPrograms } from './kubernetes-programs.js';

const STARTS_WITHIN_MS = 120_000;
const SERVICES = '10.96.0.0/16';

export interface KubectlResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ControlPlane {
  readonly #programs: string;
  readonly #folder: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(programs: string, folder: string) {
    this.#programs = programs;
    this.#folder = folder;
  }

  /** @throws ToolMissingError that says what to install */
  static async start(): Promise<ControlPlane> {
    if (spawnSync('etcd', ['--version']).status !== 0)
      throw new ToolMissingError('This test needs etcd: install it (Debian: apt-get install etcd-server).');
    const programs = await kubernetesPrograms();
    const plane = new ControlPlane(programs, await mkdtemp(join(tmpdir(), 'sluice-cluster-')));
    try {
      await plane.#start();
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  /** @param input what it reads for `-f -` */
  kubectl(args: readonly string[], input = ''): KubectlResult {
    const { status, stdout, stderr } = spawnSync(
      join(this.#programs, 'kubectl'),
      ['--kubeconfig', this.#path('kubeconfig'), ...args],
      { encoding: 'utf8', input, maxBuffer: 1 << 28 },
    );
    return { status, stdout, stderr };
  }

  /** What kubectl prints. @throws Error where it fails */
  asked(args: readonly string[], input?: string): string {
    const { status, stdout, stderr } = this.kubectl(args, input);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    const etcd = `http://127.0.0.1:${client}`;
    this.#spawn('etcd', 'etcd', [
      `--data-dir=${this.#path('etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ]);
    const token = randomBytes(16).toString('hex');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = this.#path('service-accounts.pem');
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(this.#path('tokens.csv'), `${token},admin,admin,"system:masters"\n`);
    await writeFile(this.#path('kubeconfig'), kubeconfig(`https://127.0.0.1:${port}`, token));
    this.#spawn('api-server', join(this.#programs, 'kube-apiserver'), [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${this.#path('certificates')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      `--token-auth-file=${this.#path('tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-cluster-ip-range=${SERVICES}`,
    ]);
    await this.#until('The API server', () => this.kubectl(['get', '--raw', '/readyz']).status === 0);
    this.#spawn('controllers', join(this.#programs, 'kube-controller-manager'), [
      `--kubeconfig=${this.#path('kubeconfig')}`,
      `--service-account-private-key-file=${key}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--secure-port=0',
    ]);
    const account = ['get', 'serviceaccount', 'default', '-n', 'default'];
    await this.#until('The controllers', () => this.kubectl(account).status === 0);
  }

  #spawn(name: string, command: string, args: readonly string[]): void {
    const log = openSync(this.#path(`${name}.log`), 'w');
    this.#processes.push(spawn(command, args, { stdio: ['ignore', log, log] }));
    closeSync(log);
  }

  /** @throws Error with the end of what the latest process says, where it ends or takes too long */
  async #until(what: string, isSo: () => boolean): Promise<void> {
    const late = Date.now() + STARTS_WITHIN_MS;
    while (!isSo()) {
      const latest = this.#processes.at(-1)!;
      if (latest.exitCode !== null || Date.now() > late) {
        const name = ['etcd', 'api-server', 'controllers'][this.#processes.length - 1]!;
        const log = readFileSync(this.#path(`${name}.log`), 'utf8').slice(-2000);
        throw new Error(`${what} did not start:\n${log}`);
      }
      await sleep(250);
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** For one server, on loopback, whose certificate it has just made itself. */
const kubeconfig = (server: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
