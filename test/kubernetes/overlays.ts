/** The overlays of k8s/overlays, as kustomize builds them. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { projectFolder } from '../project-folder.js';
import { goProgram } from './go-modules.js';

/** Built where none of this major version is on the path. */
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1';
const overlays = join(projectFolder, 'k8s/overlays');

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
});

/** An object of Kubernetes. */
export type KubeObject = z.infer<typeof objectSchema>;

/** Names of all overlays. */
export const overlayNames: readonly string[] = readdirSync(overlays).sort();

/** An overlay as it is applied. @returns YAML */
export function overlayText(name: string): Promise<string> {
  return kustomized(join(overlays, name));
}

/** What kustomize makes of a folder. @returns YAML */
export async function kustomized(folder: string): Promise<string> {
  const installed = spawnSync('kustomize', ['version'], { encoding: 'utf8' }).stdout ?? '';
  const kustomize = installed.startsWith('v5.') ? 'kustomize' : await goProgram('kustomize', KUSTOMIZE);
  const { status, stdout, stderr } = spawnSync(kustomize, ['build', folder], { encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`kustomize build ${folder}: ${stderr}`);
  return stdout;
}

export async function overlayObjects(name: string): Promise<KubeObject[]> {
  return objectsOf(await overlayText(name));
}

export function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text).map((document) => {
    // As JSON: what one reader of YAML takes for a number, another may not.
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return objectSchema.parse(document.toJS());
  });
}

/** Such as `Deployment sluice-producer`. */
export const titleOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;
