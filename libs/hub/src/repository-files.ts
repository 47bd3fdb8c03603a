import { z } from 'zod';
import type { HubAnswer } from './ask-hub.js';
import { askHub } from './ask-hub.js';
import { shownName } from './file-name.js';
import type { HubAccess } from './hub-access.js';
import { HubAnswerError, HubConnectionError } from './hub-errors.js';
import { refusalOf } from './hub-refusal.js';
import type { Repository } from './repository.js';
import type { RetryHooks } from './retries.js';
import { Retries } from './retries.js';

/** What a file's content must hash to: of a large file (git LFS) sha256, of others the id that git gives its blob. */
export interface Checksum {
  readonly kind: 'sha256' | 'git-sha1';
  readonly hex: string;
}

/** A file of a repository as its hub lists it. */
export interface RepositoryFile {
  /** Untrusted. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly checksum: Checksum;
}

export interface RepositoryListing {
  /** The commit that the revision stands for now, 40 hexadecimal digits. */
  readonly commit: string;
  /** Names of all files, untrusted. */
  readonly names: readonly string[];
  /** @throws HubAnswerError where the hub tells no size or checksum of it */
  readonly file: (name: string) => RepositoryFile;
  /** Whether the file is there with this content. */
  readonly has: (name: string, checksum: string) => boolean;
}

/** `sha256:…` or `git-sha1:…`. */
export function checksumText({ kind, hex }: Checksum): string {
  return `${kind}:${hex}`;
}

/** A listing of a hundred thousand files. */
const MOST_BYTES = 2 ** 25;

const hex40 = z.string().regex(/^[0-9a-f]{40}$/);
const size = z.int().nonnegative();
const siblingSchema = z.object({
  rfilename: z.string(),
  size: size.nullish(),
  blobId: hex40.nullish(),
  lfs: z.object({ size, sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
});
const modelSchema = z.object({ sha: hex40, siblings: z.array(siblingSchema) });

/**
 * Asks a hub for the commit of a revision and for that commit's files: `GET /api/models/{id}/revision/{revision}` with
 * `blobs=true`, which adds sizes and checksums.
 */
export async function listRepository(
  access: HubAccess,
  repository: Repository,
  hooks: RetryHooks,
): Promise<RepositoryListing> {
  const path = `/api/models/${repository.id}/revision/${encodeURIComponent(repository.revision)}?blobs=true`;
  const retries = new Retries(hooks);
  while (true) {
    try {
      const answer = await askHub(access, path, { signal: hooks.signal });
      if (answer.status === 200) return parseListing(answer.host, await jsonOf(answer));
      await answer.dismiss();
      throw refusalOf(answer, repository, 'the list of files', access);
    } catch (error) {
      // Nobody has answered yet, so nobody may: a person waits and can look at the cable.
      if (error instanceof HubConnectionError && error.unreachable) throw error;
      await retries.after(error);
    }
  }
}

async function jsonOf(answer: HubAnswer): Promise<unknown> {
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of answer.body()) {
    bytes += block.byteLength;
    if (bytes > MOST_BYTES) throw new HubAnswerError(answer.host, 'lists more files than can be read.');
    blocks.push(block);
  }
  try {
    return JSON.parse(Buffer.concat(blocks).toString('utf8'));
  } catch {
    throw new HubAnswerError(
      answer.host,
      'answered with something other than JSON where its list of files was expected: check HF_ENDPOINT, and whether a proxy or a log-in page is in between.',
    );
  }
}

function parseListing(host: string, json: unknown): RepositoryListing {
  const parsed = modelSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new HubAnswerError(
      host,
      `lists a model in a form that was not expected (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    );
  }
  const { sha, siblings } = parsed.data;
  const byName = new Map(siblings.map((sibling) => [sibling.rfilename, sibling]));
  return {
    commit: sha,
    names: [...byName.keys()],
    has(name, checksum) {
      const { lfs, blobId } = byName.get(name) ?? {};
      if (lfs) return checksum === checksumText({ kind: 'sha256', hex: lfs.sha256 });
      return typeof blobId === 'string' && checksum === checksumText({ kind: 'git-sha1', hex: blobId });
    },
    file(name) {
      const { lfs, size, blobId } = byName.get(name)!;
      if (lfs) return { name, size: lfs.size, checksum: { kind: 'sha256', hex: lfs.sha256 } };
      if (typeof size === 'number' && blobId)
        return { name, size, checksum: { kind: 'git-sha1', hex: blobId } };
      throw new HubAnswerError(
        host,
        `tells no size and checksum of ${shownName(name)}, so it cannot be checked.`,
      );
    },
  };
}
