/** A model among the others of a folder, and one of its versions. */
export interface ModelReference {
  readonly name: string;
  /** Undefined: the one that is promoted. */
  readonly version: number | undefined;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,254}$/u;
const REFERENCE = /^([^@]+)(?:@(\d{1,9}))?$/;

/** Whether a model may have this name: it is one of a folder, and no path. */
export function isModelName(name: string): boolean {
  return NAME.test(name);
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
