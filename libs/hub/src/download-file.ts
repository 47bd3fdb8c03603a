import type { HubAnswer } from './ask-hub.js';
import { askHub } from './ask-hub.js';
import { ChecksumError, TooLongError, WrongSizeError } from './download-errors.js';
import { shownName } from './file-name.js';
import type { HubAccess } from './hub-access.js';
import { HubAnswerError, ShortAnswerError } from './hub-errors.js';
import { refusalOf } from './hub-refusal.js';
import { PartFile } from './part-file.js';
import type { Repository } from './repository.js';
import type { RepositoryFile } from './repository-files.js';
import type { RetryHooks } from './retries.js';
import { Retries } from './retries.js';

export interface DownloadContext extends RetryHooks {
  readonly access: HubAccess;
  readonly repository: Repository;
  /** That every file is of. */
  readonly commit: string;
}

/**
 * Downloads a file, from where an earlier attempt of any process ended, checks size and checksum, and only then gives
 * it its name.
 *
 * @param target path of the whole file
 * @param onBytes is told how many of the file's bytes are here
 * @returns the content's sha256
 * @throws ChecksumError, TooLongError, WrongSizeError, the errors of the hub, and the signal's reason
 */
export async function downloadFile(
  file: RepositoryFile,
  target: string,
  context: DownloadContext,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const part = await PartFile.open(file, target);
  const download = new Download(file, part, context, onBytes);
  const retries = new Retries(context);
  let again = true;
  let joined = false;
  try {
    while (true) {
      onBytes(part.bytes);
      retries.reached(part.bytes);
      try {
        while (part.bytes < file.size) await download.piece();
        joined = part.isJoined;
        return await part.finish();
      } catch (error) {
        // Pieces that do not belong together are no reason to give up, once.
        if (error instanceof ChecksumError && joined && again) {
          again = false;
          context.onNote(
            `${shownName(file.name)}: what was kept does not fit the rest; downloading it from its beginning`,
          );
          continue;
        }
        if (error instanceof TooLongError) await part.restart();
        await retries.after(error);
      }
    }
  } finally {
    await part.close();
  }
}

class Download {
  readonly #file: RepositoryFile;
  readonly #part: PartFile;
  readonly #context: DownloadContext;
  readonly #onBytes: (bytes: number) => void;
  /** What the answer before this one was of. */
  #before: { readonly host: string; readonly etag: string } | undefined;

  constructor(
    file: RepositoryFile,
    part: PartFile,
    context: DownloadContext,
    onBytes: (bytes: number) => void,
  ) {
    this.#file = file;
    this.#part = part;
    this.#context = context;
    this.#onBytes = onBytes;
  }

  /** Asks for the rest of the file, once. It is whole then, or begins anew, or an error is thrown. */
  async piece(): Promise<void> {
    const { access, repository, commit, signal } = this.#context;
    const name = this.#file.name.split('/').map(encodeURIComponent).join('/');
    const path = `/${repository.id}/resolve/${commit}/${name}`;
    const answer = await askHub(access, path, { signal, headers: this.#rangeHeaders() });
    try {
      if (answer.commit !== null && answer.commit !== commit) {
        throw new HubAnswerError(answer.host, `serves commit ${shownName(answer.commit)} for ${commit}.`);
      }
      if (await this.#continues(answer)) await this.#take(answer);
    } finally {
      await answer.dismiss();
    }
  }

  #rangeHeaders(): Record<string, string> {
    if (this.#part.bytes === 0) return {};
    const range = { range: `bytes=${this.#part.bytes}-` };
    return this.#before === undefined ? range : { ...range, 'if-range': this.#before.etag };
  }

  /** Whether the body goes on where the part ends. Where the whole file comes, or another one, the part begins anew. */
  async #continues(answer: HubAnswer): Promise<boolean> {
    const { status, headers, host } = answer;
    const offset = this.#part.bytes;
    const etag = headers.get('etag');
    const before = this.#before;
    // A weak tag promises no equal bytes.
    this.#before = etag?.startsWith('"') ? { host, etag } : undefined;
    if (status === 200) {
      if (offset > 0) await this.#part.restart();
      return true;
    }
    if (offset > 0 && (status === 206 || status === 416)) {
      const changed = before !== undefined && before.host === host && before.etag !== etag;
      if (status === 206 && !changed && this.#isRest(headers, offset)) return true;
      await this.#part.restart();
      return false;
    }
    throw refusalOf(answer, this.#context.repository, shownName(this.#file.name), this.#context.access);
  }

  #isRest(headers: Headers, offset: number): boolean {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range === null || headers.has('content-encoding')) return false;
    const [, first, last, total] = range;
    const { size } = this.#file;
    return Number(first) === offset && Number(last) === size - 1 && (total === '*' || Number(total) === size);
  }

  async #take({ headers, host, body }: HubAnswer): Promise<void> {
    const { name, size } = this.#file;
    const missing = size - this.#part.bytes;
    const length = headers.get('content-length');
    if (length !== null && !headers.has('content-encoding') && Number(length) !== missing) {
      throw new WrongSizeError(name, host, missing, Number(length), headers.get('content-type'));
    }
    if (headers.get('content-type')?.startsWith('text/html') && !name.endsWith('.html')) {
      throw new HubAnswerError(
        host,
        `sends a page for people in place of ${shownName(name)}: check HF_ENDPOINT, and whether a proxy or a log-in page is in between.`,
      );
    }
    this.#part.beginPiece();
    for await (const block of body()) {
      await this.#part.append(block);
      this.#onBytes(this.#part.bytes);
    }
    if (this.#part.bytes < size) throw new ShortAnswerError(host, name, this.#part.bytes, size);
  }
}
