/** Whether a service starts with the settings that its pod gives it: the real reader of settings, on the pod's own files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { loadSettings, SettingsError } from '#config/load-settings.js';
import type { Settings } from '#config/settings-schema.js';
import { settingsSchema } from '#config/settings-schema.js';
import type { PodService } from './pod-promises.js';

/** How long a service takes to end once it has drained, at most, seconds. */
const CLOSES_WITHIN = 10;

/** What a service needs of its pod. */
interface Needs {
  readonly addresses: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  readonly paths: readonly string[];
  readonly drainSeconds: number;
}

const sections = z.record(z.string(), z.json());
/** As k8s/base/settings.yaml says it. */
const trainerSections = z.object({
  training: z.object({ root: z.string(), checkpoints: z.string() }),
  trainer: z.object({ drainSeconds: z.number(), admin: z.object({ host: z.string(), port: z.int() }) }),
});

/** What keeps a service from starting, from being reached, or from ending well. */
export function serviceProblems(service: PodService): string[] {
  const { name, container, graceSeconds } = service;
  const read = settingsOf(service);
  if (read instanceof SettingsError)
    return read.problems.map(({ path, message }) => `${name}: ${path}: ${message}`);
  const { addresses, paths, drainSeconds } = needsOf(service, read);
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

function needsOf(service: PodService, { producer, worker, models }: Settings): Needs {
  if (service.component === 'worker')
    return { addresses: { admin: worker.admin }, paths: [worker.bundle], drainSeconds: worker.drainSeconds };
  const { training, trainer } = trainerSections.parse(settingsFile(service));
  const shared = [models.root, training.root, training.checkpoints, producer.inputRoot ?? ''];
  if (service.component === 'trainer')
    return { addresses: { admin: trainer.admin }, paths: shared, drainSeconds: trainer.drainSeconds };
  const paths = [...shared, producer.runsRoot, producer.keysFile ?? ''];
  return { addresses: { api: producer.api, admin: producer.admin }, paths, drainSeconds: 0 };
}

/** The pod's SLUICE_CONFIG, in the sections that services know. */
function settingsFile({ files }: PodService): z.infer<typeof sections> {
  return sections.parse(parse(files.get('settings')?.['settings.yaml'] ?? ''));
}

/** The settings of a pod: its variables, its files in place of those that they name. */
function settingsOf(service: PodService): Settings | SettingsError {
  const { container, volumes } = service;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pod-'));
  const known = Object.entries(settingsFile(service)).filter(([section]) => section in settingsSchema.shape);
  const inPod = (path: string): string => {
    const mount = container.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    const volume = volumes.find(({ name }) => name === mount?.name);
    const file = path.slice((mount?.mountPath.length ?? 0) + 1);
    const copy = join(folder, `${mount?.name}-${file}`);
    // A file that the pod does not have is not there here either.
    if (volume?.name === 'settings' && file === 'settings.yaml')
      writeFileSync(copy, stringify(Object.fromEntries(known)));
    if (volume?.secret?.items?.some((item) => item.path === file) === true) writeFileSync(copy, 'secret');
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
