import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a key allows, each more than the one before: to look, to submit and classify, to end and delete the runs of others, to promote models. */
export const scopes = ['read', 'submit', 'admin'] as const;
export type Scope = (typeof scopes)[number];

const keysSchema = z
  .array(
    z.strictObject({
      id: z.string().regex(/^[\w-]{1,64}$/),
      /** Of the key, in hex: the key itself is kept nowhere. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scope: z.enum(scopes),
    }),
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'every id may be there once');

type StoredKey = z.infer<typeof keysSchema>[number];

/** Who asks. */
export interface Caller {
  readonly id: string;
  readonly scope: Scope;
}

/** A file of keys that is none. */
export class KeysFileError extends Error {
  override readonly name = 'KeysFileError';
}

/** @throws KeysFileError */
export function readKeys(file: string): readonly StoredKey[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new KeysFileError(
      `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const parsed = keysSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new KeysFileError(
    `${file} must hold API keys as sluice key writes them: ${z.prettifyError(parsed.error)}`,
  );
}

/** How long a browser stays signed in, ms. */
const SESSION_MS = 12 * 60 * 60 * 1000;

/** The API keys that there are, and sessions of browsers that have shown one. */
export class ApiKeys {
  readonly #keys: readonly StoredKey[];
  /** Signs sessions. */
  readonly #secret: Buffer;

  /** @param secret from `sessionSecret`: a session is worth a key, and the file of the keys, which holds none, may be read by others */
  constructor(keys: readonly StoredKey[], secret: Buffer) {
    this.#keys = keys;
    this.#secret = secret;
  }

  /** Whose key it is; takes the same time for every wrong one. */
  callerOf(key: string): Caller | undefined {
    const hash = createHash('sha256').update(key).digest();
    let caller: Caller | undefined;
    for (const { id, sha256, scope } of this.#keys) {
      if (timingSafeEqual(hash, Buffer.from(sha256, 'hex'))) caller = { id, scope };
    }
    return caller;
  }

  /** What a browser shows in place of a key. */
  newSession({ id }: Caller): { readonly value: string; readonly maxAgeSeconds: number } {
    const until = String(Date.now() + SESSION_MS);
    return { value: `${id}.${until}.${this.#sign(id, until)}`, maxAgeSeconds: SESSION_MS / 1000 };
  }

  callerOfSession(session: string): Caller | undefined {
    const [id = '', until = '', signature = ''] = session.split('.');
    const [given, right] = [signature, this.#sign(id, until)].map((text) =>
      createHash('sha256').update(text).digest(),
    );
    if (!timingSafeEqual(given!, right!) || Number(until) < Date.now()) return undefined;
    const key = this.#keys.find((each) => each.id === id);
    return key && { id, scope: key.scope };
  }

  /** Over the key, too: a session ends with the key that it was begun with, whatever comes under the same id. */
  #sign(id: string, until: string): string {
    const sha256 = this.#keys.find((key) => key.id === id)?.sha256 ?? '';
    return createHmac('sha256', this.#secret).update(`${id}.${until}.${sha256}`).digest('base64url');
  }
}

/** Whether one scope includes another. */
export function allows(given: Scope, needed: Scope): boolean {
  return scopes.indexOf(given) >= scopes.indexOf(needed);
}
