/**
 * Whether objects are what their kinds' published schemas say: Kubernetes' own OpenAPI description, and the
 * CustomResourceDefinitions of KEDA and the Prometheus operator. All of them come in the Go modules of those projects. As with
 * `kubectl apply --validate=strict`, a field that the schema does not have is an error.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { goModule } from './go-modules.js';
import type { KubeObject } from './overlays.js';

export const KUBERNETES = 'k8s.io/kubernetes@v1.34.3';
export const KEDA = 'github.com/kedacore/keda/v2@v2.21.0';
export const PROMETHEUS_OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

/** Where a project keeps its CustomResourceDefinitions in its module. */
const crdFolders = { [KEDA]: 'config/crd/bases', [PROMETHEUS_OPERATOR]: 'example/prometheus-operator-crd' };

type Json = z.core.util.JSONType;
interface JsonObject {
  [name: string]: Json;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** Types whose text or number the description calls text alone. */
const loose: Readonly<Record<string, JsonObject>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['integer', 'string'] },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['number', 'string'] },
};

const swaggerSchema = z.object({ definitions: z.record(z.string(), z.json()) });
const kindsSchema = z.array(z.object({ group: z.string(), version: z.string(), kind: z.string() }));
const crdSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: z.json() }) })),
  }),
});

/** Paths of the files that define KEDA's and the Prometheus operator's kinds. */
export async function crdFiles(): Promise<string[]> {
  const paths: string[] = [];
  for (const [module, folder] of Object.entries(crdFolders)) {
    const inModule = join(await goModule(module), folder);
    const names = readdirSync(inModule).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
    );
    paths.push(...names.map((name) => join(inModule, name)));
  }
  return paths;
}

/** The schemas of all kinds. */
export class PublishedSchemas {
  readonly #ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateFormats: false,
    code: { regExp: Object.assign(regExpOfGo, { code: '' }) },
  });
  /** Schema of each kind, by `apiVersion kind`. */
  readonly #kinds = new Map<string, string>();

  static async open(): Promise<PublishedSchemas> {
    const schemas = new PublishedSchemas();
    const swagger = join(await goModule(KUBERNETES), 'api/openapi-spec/swagger.json');
    schemas.#addKubernetes(JSON.parse(readFileSync(swagger, 'utf8')));
    for (const path of await crdFiles()) schemas.#addCustom(parse(readFileSync(path, 'utf8')));
    return schemas;
  }

  /** What is wrong with an object; nothing where it is right. */
  problems(object: KubeObject): string[] {
    const { apiVersion, kind } = object;
    const id = this.#kinds.get(`${apiVersion} ${kind}`);
    if (id === undefined) return [`there is no schema of ${apiVersion} ${kind}`];
    const validate: ValidateFunction | undefined = this.#ajv.getSchema(id);
    if (validate?.(object) === true) return [];
    return (validate?.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #addKubernetes(swagger: unknown): void {
    const { definitions } = swaggerSchema.parse(swagger);
    for (const [name, definition] of Object.entries(definitions)) {
      const { 'x-kubernetes-group-version-kind': kinds = [] } = asObject(definition);
      this.#ajv.addSchema(loose[name] ?? asObject(strict(definition)), name);
      for (const { group, version, kind } of kindsSchema.parse(kinds))
        this.#kinds.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, name);
    }
  }

  #addCustom(crd: unknown): void {
    const { group, names, versions } = crdSchema.parse(crd).spec;
    for (const { name, schema } of versions) {
      const id = [group, name, names.kind].join('.');
      const ofKind = asObject(strict(schema.openAPIV3Schema));
      asObject(ofKind['properties'] ?? null)['metadata'] = { $ref: META };
      this.#ajv.addSchema(ofKind, id);
      this.#kinds.set(`${group}/${name} ${names.kind}`, id);
    }
  }
}

/** Go writes flags of a pattern into it. */
function regExpOfGo(pattern: string, flags: string): RegExp {
  const ignoresCase = pattern.includes('(?i)');
  return new RegExp(pattern.replace('(?i)', ''), ignoresCase ? `${flags}i` : flags);
}

/** A schema that takes no field but those that it names. */
function strict(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([name, value]): [string, Json] => [name, strict(value)]),
  );
  if (typeof inner['$ref'] === 'string') return { $ref: inner['$ref'].replace('#/definitions/', '') };
  if (inner['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] };
  const open = inner['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in inner;
  // A field may itself be called properties, so only what describes an object counts.
  if (inner['type'] === 'object' && 'properties' in inner && !open) inner['additionalProperties'] = false;
  return inner;
}

function asObject(json: Json): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError('Expected a schema.');
  return json;
}
