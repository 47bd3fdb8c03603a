/**
 * `npm run test:images`: builds the images that run without a GPU, starts them as deploy/compose.yaml does, labels the demo's
 * mails and trains a model. It needs root on Debian; it says what to install.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { TrainingView } from '#training/job/training-view.js';
import { isTrainingUnderWay } from '#training/job/training-view.js';
import { writeDemoCorpus } from '../../apps/cli/src/demo/demo-corpus.js';
import { freePort } from '../../apps/cli/src/dev/free-port.js';
import { RedisServer } from '../fleet/redis-server.js';
import { jsonLines } from '../mail-sample.js';
import { runCli, spamBundle } from '../run-cli.js';
import { composeFolder, readCompose } from './compose-file.js';
import type { ContainerOptions, Ended } from './container.js';
import { Container } from './container.js';
import type { Image } from './image-store.js';
import { expectTools, ImageStore } from './image-store.js';

const targets = ['producer', 'worker', 'trainer'] as const;
const fleet = ['producer', 'worker-first', 'worker-deep', 'trainer'] as const;
type Service = (typeof fleet)[number];
const { services } = readCompose();
const [uid = 0, gid = 0] = services['producer']!.user!.split(':').map(Number);

let store: ImageStore;
let base: string;
let folder: string;
let redis: { queue: RedisServer; activations: RedisServer };
let environments: Record<Service, Record<string, string>>;
const images = new Map<string, Image>();
const running = new Map<Service, Container>();
/** Lines of the table at the end: what, and how much or how long. */
const figures: [string, string][] = [];

const seconds = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const begun = performance.now();
  const result = await work();
  figures.push([what, `${((performance.now() - begun) / 1000).toFixed(1)} s`]);
  return result;
};

beforeAll(async () => {
  expectTools();
  store = await ImageStore.open();
  folder = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  redis = {
    queue: await RedisServer.start(redisSettings('redis-queue')),
    activations: await RedisServer.start(redisSettings('redis-activations')),
  };
  const { node } = process.versions;
  const pinned = node === ImageStore.pinnedNode() ? '' : ', which is not the version that is pinned';
  base = await seconds(`base: Debian and Node ${node}${pinned}`, () => store.base());
  for (const volume of Object.keys(readCompose().volumes)) await ownFolder(volume);
  environments = await environmentsHere();
});
afterAll(async () => {
  for (const container of running.values()) await container.stop();
  await redis?.queue.stop();
  await redis?.activations.stop();
  await store?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  const width = Math.max(...figures.map(([what]) => what.length));
  console.log(figures.map(([what, figure]) => `${what.padEnd(width)}  ${figure.padStart(10)}`).join('\n'));
});

/** As the compose file starts it, at a port and in a folder of the test's own. */
function redisSettings(name: string): Record<string, string> {
  const [, ...settings] = services[name]!.command!;
  return Object.fromEntries(
    settings.map((setting) => {
      const [, option = '', value = ''] = /^--(\S+) (.*)$/.exec(setting) ?? [];
      return [option, value.replaceAll("'", '')];
    }),
  );
}

async function ownFolder(name: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await chown(join(folder, name), uid, gid);
}

/** What the compose file says of each service, but for addresses: here all of them share one loopback. */
async function environmentsHere(): Promise<Record<Service, Record<string, string>>> {
  const here = async (name: Service): Promise<Record<string, string>> => {
    const app = name.split('-')[0]!.toUpperCase();
    const environment = { ...services[name]!.environment };
    for (const variable of Object.keys(environment)) {
      if (!variable.endsWith('_HOST')) continue;
      environment[variable] = '127.0.0.1';
      environment[variable.replace(/HOST$/, 'PORT')] = String(await freePort());
    }
    expect(environment[`SLUICE_${app}_ADMIN_PORT`]).toBeDefined();
    environment['SLUICE_REDIS_URL'] = redis.queue.url;
    environment['SLUICE_REDIS_ACTIVATIONS_URL'] = redis.activations.url;
    return environment;
  };
  const [producer, first, deep, trainer] = await Promise.all(fleet.map(here));
  return { producer: producer!, 'worker-first': first!, 'worker-deep': deep!, trainer: trainer! };
}

/** Volumes and secrets of a service of the compose file, as folders and files of the test. */
function volumesHere(name: string): Record<string, string> {
  const { volumes, secrets } = services[name]!;
  const folders = volumes.map((volume) => {
    const [source = '', ...to] = volume.split(':');
    return [to.join(':'), source.startsWith('.') ? join(composeFolder, source) : join(folder, source)];
  });
  const files = secrets.map((secret) => [`/run/secrets/${secret}:ro`, join(folder, 'keys.json')]);
  return Object.fromEntries([...folders, ...files]);
}

function imageOf(service: string): Image {
  return images.get(services[service]!.build!.target)!;
}

/** Runs a command in an image to its end. */
async function run(image: Image, options: ContainerOptions): Promise<Ended> {
  const container = await Container.start(image, options);
  await container.ended;
  return container.stop();
}

const asksHealth = (name: Service): Ended =>
  running.get(name)!.exec(imageOf(name).config.Healthcheck.Test.slice(1));

async function start(name: Service): Promise<void> {
  const container = await Container.start(imageOf(name), {
    name,
    env: environments[name],
    volumes: volumesHere(name),
  });
  running.set(name, container);
  await seconds(`${name}: from its start until it is well`, () =>
    container.until(() => asksHealth(name).code === 0, 'become well'),
  );
}

const producerUrl = (): string => `http://127.0.0.1:${environments.producer['SLUICE_PRODUCER_API_PORT']}`;

describe('the images', () => {
  it.each(targets)('%s is built', async (target) => {
    const image = await store.build(target, base);
    images.set(target, image);
    figures.push([`${target}: built in`, `${image.seconds.toFixed(1)} s`]);
    figures.push([`${target}: all files`, `${Math.round(image.bytes / 1e6)} MB`]);
    expect(image.config).toMatchObject({ User: `${uid}:${gid}`, WorkingDir: '/var/lib/sluice' });
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Sluice',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
    // Of the build's machine.
    expect(image.config.Env.filter((variable) => /^(NODE_EXTRA|npm|PIP)/.test(variable))).toEqual([]);
  });

  it.each(targets)('%s has nothing that builds, and neither sources nor tests', (target) => {
    const { root } = images.get(target)!;
    const commands = ['bin', 'sbin', 'local/bin', 'local/sbin'].flatMap((path) =>
      readdirSync(join(root, 'usr', path)),
    );
    expect(commands).toContain('node');
    const builders =
      /^(npm|npx|yarn|corepack|tsc|g?cc|g\+\+|c\+\+|make|ld|as|pip3?|python3?|git|curl|wget)(-[\d.]+)?$/;
    expect(commands.filter((name) => builders.test(name))).toEqual([]);
    const ours = readdirSync(join(root, 'opt'), { recursive: true, encoding: 'utf8' });
    expect(ours.filter((path) => /\.([cm]?ts|tsx|map|cc|h)$|\.spec\.[cm]?js$/.test(path))).toEqual([]);
    expect(ours.filter((path) => /^sluice\/(test|docs|\.git|dist\/test)/.test(path))).toEqual([]);
    expect(ours.filter((path) => /node_modules\/(typescript|vitest|vite|prettier)$/.test(path))).toEqual([]);
    expect(existsSync(join(root, 'root/.npmrc'))).toBe(false);
  });

  it.each(targets)('%s runs without rights, and writes to /tmp alone', async (target) => {
    const { code, output } = await run(images.get(target)!, {
      name: 'probe',
      command: ['node', '--eval', probe],
    });
    expect(code, output).toBe(0);
    expect(JSON.parse(output)).toEqual({
      ids: [uid, gid, uid, gid],
      status: { CapEff: '0000000000000000', CapBnd: '0000000000000000', NoNewPrivs: '1' },
      written: {
        '/': 'EROFS',
        '/etc': 'EROFS',
        '/opt/sluice': 'EROFS',
        '/var/lib/sluice': 'EROFS',
        '/var/lib/sluice/runs': 'EROFS',
        '/tmp': 'written',
      },
    });
  });

  it.each(targets)(
    "%s has files of its user's only where volumes go, and none with a right of another",
    (target) => {
      const { root } = images.get(target)!;
      const found = (...test: string[]): string[] => {
        const { stdout } = spawnSync('find', [root, '-xdev', ...test, '-printf', '%P\n'], {
          encoding: 'utf8',
        });
        return stdout.split('\n').slice(0, -1).toSorted();
      };
      const folders = ['checkpoints', 'inputs', 'models', 'runs', 'trainings'];
      expect(found('-uid', String(uid))).toEqual(folders.map((name) => `var/lib/sluice/${name}`));
      expect(found('-type', 'f', '-perm', '/6000')).toEqual([]);
      expect(found('-type', 'f', '-perm', '-o+w')).toEqual([]);
    },
  );
});

const probe = `
const fs = require('fs');
const status = fs.readFileSync('/proc/self/status', 'utf8');
const field = (name) => [name, new RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm').exec(status)[1]];
const written = (folder) => {
  try {
    fs.writeFileSync(folder + '/probe', '');
    return [folder, 'written'];
  } catch (error) {
    return [folder, error.code];
  }
};
console.log(JSON.stringify({
  ids: [process.getuid(), process.getgid(), process.geteuid(), process.getegid()],
  status: Object.fromEntries(['CapEff', 'CapBnd', 'NoNewPrivs'].map(field)),
  written: Object.fromEntries(['/', '/etc', '/opt/sluice', '/var/lib/sluice', '/var/lib/sluice/runs', '/tmp'].map(written)),
}));`;

describe('the fleet of the compose file', () => {
  let key: string;

  it('has a key from the command line of an image, and the model that it brings', async () => {
    const made = await run(images.get('trainer')!, {
      name: 'key',
      command: ['sluice', 'key', 'ann', '--scope', 'admin', '--file', '/tmp/keys/keys.json'],
      volumes: { '/tmp/keys': await owned('keys') },
    });
    expect(made.code, made.output).toBe(0);
    key = made.output.trim();
    await cp(join(folder, 'keys/keys.json'), join(folder, 'keys.json'));
    const { command } = services['demo-model']!;
    const brought = await run(imageOf('demo-model'), {
      name: 'demo-model',
      command: command!,
      volumes: volumesHere('demo-model'),
    });
    expect(brought, brought.output).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'models/spam/bundle.json'))).toEqual(
      readFileSync(join(spamBundle, 'bundle.json')),
    );
  });

  it('refuses to listen to everyone without keys', async () => {
    const { SLUICE_PRODUCER_KEYS_FILE: _, ...env } = environments.producer;
    const { code, output } = await run(imageOf('producer'), {
      name: 'open',
      env: { ...env, SLUICE_PRODUCER_API_HOST: '0.0.0.0' },
    });
    expect(code).toBe(1);
    expect(output).toContain('sluice key');
  });

  it('starts, and each service becomes well', async () => {
    for (const name of fleet) await start(name);
  });

  it("labels the demo's mails as sluice label does, byte by byte", async () => {
    await writeDemoCorpus(join(folder, 'mail.jsonl'));
    const label = ['label', 'mail.jsonl', '--model', spamBundle, '--out', 'label.jsonl', '--quiet'];
    const alone = await runCli(label, { cwd: folder });
    expect(alone.end, alone.stderr).toBe(0);

    const cli = { cwd: folder, env: { SLUICE_SERVER: producerUrl(), SLUICE_API_KEY: key } };
    const submit = ['submit', 'mail.jsonl', '--model', 'spam', '--watch', '--json', '--quiet'];
    const submitted = await seconds("the demo's 5,909 mails: submitted until labelled", () =>
      runCli(submit, cli),
    );
    expect(submitted.end, submitted.stderr).toBe(0);
    const { id, report } = z
      .object({ id: z.string(), report: z.object({ rows: z.number(), rejected: z.number() }) })
      .parse(JSON.parse(submitted.stdout));
    expect(report).toEqual({ rows: 5909, rejected: 0 });
    const fetched = await runCli(['fetch', id, '--out', 'fleet.jsonl'], cli);
    expect(fetched.end, fetched.stderr).toBe(0);
    const [expected, got] = await Promise.all(
      ['label.jsonl', 'fleet.jsonl'].map((name) => readFile(join(folder, name))),
    );
    expect(got!.equals(expected!)).toBe(true);
    // Rows that the first stages were unsure of went through Redis to the deep ones.
    expect(await metric('worker-deep', /^sluice_stage_rows_sum\{[^}]*\} (\d+)/m)).toBeGreaterThan(0);
  });

  it("trains a model on TensorFlow's native backend, and registers it", async () => {
    const base = join(folder, 'checkpoints/letters');
    await cp(join(import.meta.dirname, '../fixtures/training'), base, { recursive: true });
    const view = await seconds('a training: train, distil, compile, evaluate', () => trained(key));
    expect(view, view.error).toMatchObject({ phase: 'finished', model: { name: 'letters', version: 1 } });
    expect(view.steps.map(({ phase }) => phase)).toEqual(Array.from({ length: 4 }, () => 'finished'));
    expect(view.steps[0]!.notes.join('\n')).toContain('Backend: node (');
    expect(existsSync(join(folder, 'models/letters'))).toBe(true);
  });

  it('says that it is not well while Redis is away, and is well again', async () => {
    await redis.queue.kill();
    for (const name of fleet) {
      await running.get(name)!.until(() => asksHealth(name).code === 1, 'said that it is not well', 30);
    }
    await redis.queue.restart();
    for (const name of fleet) {
      await running.get(name)!.until(() => asksHealth(name).code === 0, 'become well again', 60);
    }
  });

  it('ends when it is told to', async () => {
    for (const name of fleet) {
      const { code, output } = await seconds(`${name}: stopped`, () => running.get(name)!.stop('SIGTERM'));
      running.delete(name);
      expect(code, output).toBe(0);
    }
  });
});

/** A folder of the test that the services' user may write to. */
async function owned(name: string): Promise<string> {
  await ownFolder(name);
  return join(folder, name);
}

/** A number of the metrics of a service; 0 where it is not there. */
async function metric(name: Service, line: RegExp): Promise<number> {
  const port = environments[name]['SLUICE_WORKER_ADMIN_PORT'];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(line.exec(text)?.[1] ?? 0);
}

/** Texts of letters whose first one tells the label; a model of two layers learns them in seconds. */
async function trained(key: string): Promise<TrainingView> {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const rows = Array.from({ length: 260 }, (_, index) => {
    const first = letters[index % 26]!;
    return {
      text: `${first} ${letters[(index * 7) % 26]} ${letters[(index * 11) % 26]}`,
      label: first < 'n' ? 'early' : 'late',
    };
  });
  const common = {
    data: 'rows.jsonl',
    dev: 'rows.jsonl',
    exitSize: 16,
    batchTokens: 128,
    rate: 0.01,
    epochs: 2,
  };
  const request = {
    name: 'letters',
    steps: [
      { kind: 'train', base: 'letters', newHead: true, task: 'single', ...common },
      { kind: 'distil', ...common },
      { kind: 'compile' },
      { kind: 'evaluate', data: 'rows.jsonl', labelField: 'label', timing: false },
    ],
  };
  const form = new FormData();
  form.set('options', JSON.stringify(request));
  form.append('file', new Blob([jsonLines(rows)]), 'rows.jsonl');
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${producerUrl()}/v1/training`, { method: 'POST', body: form, headers });
  expect(answer.status, await answer.clone().text()).toBe(201);
  let view: TrainingView = JSON.parse(await answer.text());
  while (isTrainingUnderWay(view)) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    view = JSON.parse(await (await fetch(`${producerUrl()}/v1/training/${view.id}`, { headers })).text());
  }
  return view;
}
