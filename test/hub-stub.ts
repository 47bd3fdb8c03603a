/**
 * A hub on this machine, with its storage on another origin, that speaks as much of the Hugging Face Hub's API as a
 * download needs: revisions, listings with checksums, redirects to storage (LFS) and to a cache (other files), entity
 * tags, ranges, error codes. It misbehaves when told to, and knows afterwards what it was asked and what it sent.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface StubFile {
  readonly content: Uint8Array;
  /** In git LFS, as large files are: known by its sha256, and sent by the storage. */
  readonly lfs?: boolean;
  /** As the list tells it; that of the content unless given. */
  readonly listedSize?: number;
}

export interface StubModel {
  /** Files by name. */
  readonly files: Readonly<Record<string, StubFile>>;
  /** Whom the hub shows it to. */
  readonly access?: 'public' | 'private' | 'gated';
  /** The commit that it says its files are of; the right one unless given. */
  readonly claims?: string;
  /** The hub tells sizes and checksums, which it does unless this is false. */
  readonly tellsBlobs?: boolean;
}

/** What the next answer for something does instead of what it should. */
export type Fault =
  | { readonly kind: 'drop' | 'stall' | 'short'; readonly after: number; readonly ignoresRange?: true }
  | {
      readonly kind:
        'ignore-range' | 'wrong-bytes' | 'longer' | 'other-size' | 'html' | 'other-etag' | 'wrong-range';
    }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: 'redirect'; readonly to: string };

export interface StubRequest {
  readonly server: 'hub' | 'storage';
  readonly path: string;
  readonly query: URLSearchParams;
  /** What was asked for: a file's name, or `list`. */
  readonly asked: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  /** Bytes of the file that were sent. */
  sent: number;
}

export const stubToken = 'hf_secretOfTheTest';

export class HubStub {
  readonly requests: StubRequest[] = [];
  readonly #models = new Map<string, Map<string, StubModel>>();
  readonly #revisions = new Map<string, Map<string, string>>();
  readonly #faults = new Map<string, Fault[]>();
  readonly #hub = createServer((request, response) => void this.#answer('hub', request, response));
  readonly #storage = createServer((request, response) => void this.#answer('storage', request, response));

  static async start(): Promise<HubStub> {
    const stub = new HubStub();
    for (const server of [stub.#hub, stub.#storage]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return stub;
  }

  get endpoint(): string {
    return addressOf(this.#hub);
  }

  get storage(): string {
    return addressOf(this.#storage);
  }

  /** Makes a commit of a model and moves a branch to it. @returns the commit */
  push(id: string, model: StubModel, branch = 'main'): string {
    const commit = createHash('sha1')
      .update(`${id} ${this.#models.get(id)?.size ?? 0}`)
      .digest('hex');
    this.#models.set(id, (this.#models.get(id) ?? new Map<string, StubModel>()).set(commit, model));
    const revisions = this.#revisions.get(id) ?? new Map<string, string>();
    this.#revisions.set(id, revisions.set(branch, commit).set(commit, commit));
    return commit;
  }

  /** The next answers of the server that sends a file, or of the hub for `list`. */
  fail(asked: string, ...faults: readonly Fault[]): void {
    this.#faults.set(asked, [...(this.#faults.get(asked) ?? []), ...faults]);
  }

  /** Bytes of files that were sent. */
  sent(asked?: string): number {
    const counted = this.requests.filter((request) => asked === undefined || request.asked === asked);
    return counted.reduce((sum, { sent }) => sum + sent, 0);
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  async #answer(
    server: 'hub' | 'storage',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url!, 'http://stub');
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const asked = parts[0] === 'api' && parts[1] === 'models' ? 'list' : nameIn(parts);
    const record: StubRequest = {
      server,
      path: url.pathname,
      query: url.searchParams,
      asked,
      range: request.headers.range,
      ifRange: String(request.headers['if-range'] ?? '') || undefined,
      authorization: request.headers.authorization,
      sent: 0,
    };
    this.requests.push(record);
    // A redirect is not what a fault is about.
    const final = asked === 'list' || parts[0] === 'storage' || parts[1] === 'resolve-cache';
    const fault = final ? this.#faults.get(asked)?.shift() : undefined;
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('no');
    if (fault?.kind === 'redirect') return void response.writeHead(302, { location: fault.to }).end();
    if (fault?.kind === 'html') {
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>');
    }
    if (server === 'storage')
      return this.#sendFile(this.#modelAt(parts[1]!, parts[2]!)!.files[asked]!, record, response, fault);
    this.#answerAsHub(parts, record, response, fault);
  }

  #answerAsHub(
    parts: readonly string[],
    record: StubRequest,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const refuse = (status: number, code: string): void =>
      void response.writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' }).end('{}');
    const listing = record.asked === 'list';
    const cached = parts[1] === 'resolve-cache';
    const id = (listing ? parts.slice(2, 4) : cached ? parts.slice(3, 5) : parts.slice(0, 2)).join('/');
    const revision = listing ? parts[5]! : cached ? parts[5]! : parts[3]!;
    const known = record.authorization === `Bearer ${stubToken}`;
    const revisions = this.#revisions.get(id);
    if (revisions === undefined) return refuse(known ? 404 : 401, 'RepoNotFound');
    const commit = revisions.get(revision);
    if (commit === undefined) return refuse(404, 'RevisionNotFound');
    const model = this.#modelAt(id, commit)!;
    if (model.access === 'private' && !known) return refuse(401, 'RepoNotFound');
    if (listing) {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(listingOf(id, commit, model, record.query.get('blobs') === 'true')));
      return;
    }
    if (model.access === 'gated' && !known) return refuse(401, 'GatedRepo');
    const file = model.files[record.asked];
    if (file === undefined) return refuse(404, 'EntryNotFound');
    if (cached) return void this.#sendFile(file, record, response, fault);
    const tag = `"${file.lfs ? hash('sha256', file.content) : blobId(file.content)}"`;
    const name = record.asked.split('/').map(encodeURIComponent).join('/');
    const location = file.lfs
      ? `${this.storage}/storage/${encodeURIComponent(id)}/${commit}/${name}?Signature=signed`
      : `/api/resolve-cache/models/${id}/${commit}/${name}?etag=${encodeURIComponent(tag)}`;
    response
      .writeHead(file.lfs ? 302 : 307, {
        location,
        'x-repo-commit': model.claims ?? commit,
        'x-linked-etag': tag,
        'x-linked-size': String(file.content.byteLength),
        'content-type': 'text/plain',
      })
      .end(`Redirecting to ${location}`);
  }

  async #sendFile(
    { content }: StubFile,
    record: StubRequest,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const etag = `"${fault?.kind === 'other-etag' ? 'other' : hash('md5', content)}"`;
    const fits = record.ifRange === undefined || record.ifRange === etag || fault?.kind === 'other-etag';
    const offset = Number(/^bytes=(\d+)-$/.exec(record.range ?? '')?.[1] ?? 0);
    const ignored = fault !== undefined && (fault.kind === 'ignore-range' || 'ignoresRange' in fault);
    const ranged = offset > 0 && fits && !ignored;
    if (ranged && offset >= content.byteLength) return void response.writeHead(416).end();
    let body = Buffer.from(content.subarray(ranged ? offset : 0));
    if (fault?.kind === 'wrong-bytes') body[body.length - 1]! ^= 1;
    if (fault?.kind === 'longer') body = Buffer.concat([body, Buffer.alloc(100)]);
    if (fault?.kind === 'other-size') body = body.subarray(1);
    const told = fault?.kind === 'longer' || fault?.kind === 'short' ? {} : { 'content-length': body.length };
    const first = fault?.kind === 'wrong-range' ? offset - 1 : offset;
    const range = { 'content-range': `bytes ${first}-${content.byteLength - 1}/${content.byteLength}` };
    response.writeHead(ranged ? 206 : 200, { etag, 'accept-ranges': 'bytes', ...told, ...(ranged && range) });
    const end = fault !== undefined && 'after' in fault ? fault.after : body.length;
    for (let at = 0; at < end && !response.destroyed; at += 16_384) {
      const block = body.subarray(at, Math.min(at + 16_384, end));
      if (!response.write(block)) await roomIn(response);
      record.sent += block.length;
    }
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'drop') {
      // What was written shall arrive before the connection breaks.
      await pause(20);
      response.destroy();
    } else response.end();
  }

  #modelAt(id: string, commit: string): StubModel | undefined {
    return this.#models.get(id)?.get(commit);
  }
}

/** As `GET /api/models/{id}/revision/{revision}` answers, of which a download reads `sha` and `siblings`. */
function listingOf(
  id: string,
  commit: string,
  { files, tellsBlobs = true }: StubModel,
  blobs: boolean,
): object {
  return {
    id,
    modelId: id,
    sha: commit,
    gated: false,
    tags: ['bert'],
    siblings: Object.entries(files).map(
      ([rfilename, { content, lfs, listedSize: size = content.byteLength }]) => ({
        rfilename,
        ...(blobs && tellsBlobs && { size, blobId: blobId(content) }),
        ...(blobs &&
          tellsBlobs &&
          lfs && { lfs: { sha256: hash('sha256', content), size, pointerSize: 134 } }),
      }),
    ),
  };
}

/** Waits until what was written is on its way, or nobody takes it any more. */
async function roomIn(response: ServerResponse): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  stop.abort();
}

/** The name in `/owner/name/resolve/commit/file`, `/api/resolve-cache/models/owner/name/commit/file`, `/storage/id/commit/file`. */
function nameIn(parts: readonly string[]): string {
  const before = parts[0] === 'storage' ? 3 : parts[1] === 'resolve-cache' ? 6 : 4;
  return parts.slice(before).join('/');
}

export function hash(algorithm: string, content: Uint8Array): string {
  return createHash(algorithm).update(content).digest('hex');
}

/** As `git hash-object` computes it. */
function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

function addressOf(server: Server): string {
  const { port }: AddressInfo = Object(server.address());
  return `http://127.0.0.1:${port}`;
}
