/** Whether a service starts with the settings that its pod gives it: the real reader of settings, on the pod's own files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, SettingsError } from '#config/load-settings.js';
import type { Settings } from '#config/settings-schema.js';
import type { PodService } from './pod-promises.js';

/** How long a service takes to end once it has drained, at most, seconds. */
const CLOSES_WITHIN = 10;

/** What a service needs of its pod. */
interface Needs {
  readonly addresses: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  readonly paths: readonly string[];
  readonly drainSeconds: number;
}

/** What keeps a service from starting, from being reached, or from ending well. */
export function serviceProblems(service: PodService): string[] {
  const { name, component, container, graceSeconds } = service;
  const read = settingsOf(service);
  if (read instanceof SettingsError)
    return read.problems.map(({ path, message }) => `${name}: ${path}: ${message}`);
  const { addresses, paths, drainSeconds } = needsOf(component, read);
  const problems: string[] = [];
  const expectThat = (holds: boolean, problem: string): void =>
    void (holds || problems.push(`${name}: ${problem}`));

  for (const [port, { host, port: number }] of Object.entries(addresses)) {
    expectThat(host === '0.0.0.0', `listens at ${host} for ${port}`);
    const told = container.ports.find((each) => each.name === port)?.containerPort;
    expectThat(told === number, `listens at ${number} for ${port}, and its pod tells ${told}`);
  }
  expectThat(
    graceSeconds >= drainSeconds + CLOSES_WITHIN,
    `is ended after ${graceSeconds} s, and drains for ${drainSeconds} s`,
  );
  for (const path of paths) {
    const mount = container.volumeMounts.find(
      ({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`),
    );
    expectThat(mount !== undefined, `uses ${path}, where nothing is mounted`);
  }
  return problems;
}

function needsOf(component: string, { producer, worker, trainer, training, models }: Settings): Needs {
  if (component === 'worker')
    return { addresses: { admin: worker.admin }, paths: [worker.bundle], drainSeconds: worker.drainSeconds };
  const shared = [models.root, training.root, training.checkpoints, producer.inputRoot ?? ''];
  if (component === 'trainer')
    return { addresses: { admin: trainer.admin }, paths: shared, drainSeconds: trainer.drainSeconds };
  const paths = [...shared, producer.runsRoot, producer.keysFile ?? ''];
  return { addresses: { api: producer.api, admin: producer.admin }, paths, drainSeconds: 0 };
}

/** The settings of a pod: its variables, its files in place of those that they name. */
function settingsOf({ container, volumes, files }: PodService): Settings | SettingsError {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pod-'));
  const inPod = (path: string): string => {
    const mount = container.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    const volume = volumes.find(({ name }) => name === mount?.name);
    const file = path.slice((mount?.mountPath.length ?? 0) + 1);
    const copy = join(folder, `${mount?.name}-${file}`);
    const isSecret = volume?.secret?.items?.some((item) => item.path === file) ?? false;
    const content = isSecret ? 'secret' : files.get(volume?.name ?? '')?.[file];
    // A file that the pod does not have is not there here either.
    if (content !== undefined) writeFileSync(copy, content);
    return copy;
  };
  try {
    const variables = container.env.map(({ name, value }): [string, string] => [
      name,
      name === 'SLUICE_CONFIG' || name.endsWith('_FILE') ? inPod(value) : value,
    ]);
    return loadSettings(Object.fromEntries(variables));
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
