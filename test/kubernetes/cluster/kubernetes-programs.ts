/** kube-apiserver, kube-controller-manager and kubectl, built from the module of Kubernetes: minutes once, then kept. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, goModule, runGo } from '../go-modules.js';
import { KUBERNETES } from '../published-schemas.js';

const programs = ['kube-apiserver', 'kube-controller-manager', 'kubectl'].map(
  (name) => `k8s.io/kubernetes/cmd/${name}`,
);

/** @returns the folder that they are in */
export async function kubernetesPrograms(): Promise<string> {
  const version = KUBERNETES.split('@')[1]!;
  const folder = join(cacheFolder, `kubernetes-${version}`);
  const built = join(folder, 'bin');
  if (existsSync(built)) return built;
  await mkdir(folder, { recursive: true });
  console.error(`Building Kubernetes ${version}: five minutes or more, once.`);
  const module = readFileSync(join(await goModule(KUBERNETES), 'go.mod'), 'utf8');
  await writeFile(join(folder, 'go.mod'), buildingModule(version, module));
  await runGo('Kubernetes', ['mod', 'tidy'], { cwd: folder });
  const unfinished = join(folder, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await runGo('Kubernetes', ['build', '-o', `${unfinished}/`, ...programs], { cwd: folder });
  await rename(unfinished, built);
  return built;
}

/**
 * A module that may build Kubernetes' programs. Kubernetes' own says that its parts are in folders beside it, which are no
 * part of the module; each is published by itself as well, as v0.x.y of Kubernetes v1.x.y.
 * @param module Kubernetes' go.mod
 */
export function buildingModule(version: string, module: string): string {
  const go = /^go .+$/m.exec(module)?.[0] ?? '';
  const parts = Array.from(module.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm), ([, part]) => part!);
  const partVersion = version.replace(/^v1/, 'v0');
  return [
    'module cluster',
    go,
    `require k8s.io/kubernetes ${version}`,
    ...parts.map((part) => `replace ${part} => ${part} ${partVersion}`),
    ...programs.map((program) => `tool ${program}`),
    '',
  ].join('\n');
}
