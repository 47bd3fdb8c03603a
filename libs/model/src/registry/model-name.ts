/** A model among the others of a folder, and one of its versions. */
export interface ModelReference {
  readonly name: string;
  /** Undefined: the one that is promoted. */
  readonly version: number | undefined;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u;
/** A file system takes 255, some of which are for the endings of what is made under the name. */
const MOST_BYTES = 200;
const REFERENCE = /^([^@]+)(?:@(\d{1,9}))?$/;

/** Whether a model may have this name: it is one of a folder, and no path. */
export function isModelName(name: string): boolean {
  return Buffer.byteLength(name) <= MOST_BYTES && NAME.test(name);
}

/** Reads `topics`, or `topics@3`; undefined for what is neither. */
export function modelReference(text: string): ModelReference | undefined {
  const [, name = '', version] = REFERENCE.exec(text) ?? [];
  if (!isModelName(name)) return undefined;
  return { name, version: version === undefined ? undefined : Number(version) };
}

/** @returns `topics@3` */
export function versionName(name: string, version: number): string {
  return `${name}@${version}`;
}
