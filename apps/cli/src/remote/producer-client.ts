import { readFileSync } from 'node:fs';
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRequest } from '#run/run-request.js';
import type { RunView } from '#run/run-view.js';
import { isUnderWay } from '#run/run-view.js';
import { UsageError } from '#run/usage-error.js';
import { bodyPieces } from './body-pieces.js';

/** Where a producer listens unless told. */
export const DEFAULT_SERVER = 'http://127.0.0.1:9480';

/** The producer refused, or cannot be reached. */
export class ProducerError extends Error {
  override readonly name = 'ProducerError';

  constructor(
    readonly server: string,
    /** Of HTTP; undefined where there was no answer. */
    readonly status: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** The key of `SLUICE_API_KEY`, or in the file that `SLUICE_API_KEY_FILE` names; an empty one is none. @throws UsageError */
export function apiKeyOf(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment['SLUICE_API_KEY_FILE'];
  if (file === undefined) return environment['SLUICE_API_KEY']?.trim() || undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    throw new UsageError(
      `The file of SLUICE_API_KEY_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Between two attempts to hear of a run whose producer went away, ms. */
const AGAIN_MS = 1000;

/** A producer, over HTTP. */
export class ProducerClient {
  readonly server: string;
  readonly #key: string | undefined;

  /** @throws UsageError for what is no address of HTTP, or no key */
  constructor(server: string, key: string | undefined) {
    if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
      throw new UsageError(`Expected the address of a producer, such as ${DEFAULT_SERVER}; got ${server}.`);
    }
    // Headers refuse such a key as well, in words that show it.
    if (key !== undefined && !/^[!-~]+$/.test(key)) {
      throw new UsageError(
        'The API key has a character that keys do not have, such as a space, a line break or a letter with an accent: take it as sluice key printed it.',
      );
    }
    this.server = server.replace(/\/+$/, '');
    this.#key = key;
  }

  /** @param files uploaded, where the request does not name or hold the corpus */
  async submit(request: RunRequest, files: readonly string[]): Promise<RunView> {
    if (files.length === 0) return this.#json('POST', '/v1/runs', JSON.stringify(request));
    const form = new FormData();
    form.set('options', JSON.stringify(request));
    // From disk as they are sent.
    for (const file of files) form.append('file', await openAsBlob(file), basename(file));
    return this.#json('POST', '/v1/runs', form);
  }

  async runs(): Promise<RunView[]> {
    const { runs } = await this.#json<{ runs: RunView[] }>('GET', '/v1/runs');
    return runs;
  }

  run(id: string): Promise<RunView> {
    return this.#json('GET', pathOf(id));
  }

  act(id: string, action: 'cancel' | 'resume'): Promise<RunView> {
    return this.#json('POST', `${pathOf(id)}/${action}`);
  }

  async delete(id: string): Promise<void> {
    await this.#fetch(pathOf(id), { method: 'DELETE' });
  }

  /**
   * A run as it goes on, until it is over. A producer that goes away is waited for: the run goes on with the next.
   * @throws ProducerError where it refuses; the signal's reason
   */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<RunView> {
    let isKnown = false;
    for (;;) {
      try {
        for await (const view of this.#events(id, signal)) {
          isKnown = true;
          yield view;
          if (!isUnderWay(view)) return;
        }
      } catch (error) {
        signal.throwIfAborted();
        const isGone = error instanceof ProducerError && (error.status === undefined || error.status >= 500);
        if (!isKnown || !isGone) throw error;
      }
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }

  /** Bytes of a path, from `start` on. @throws ProducerError */
  async download(path: string, start: number, signal: AbortSignal): Promise<Response> {
    const headers = start === 0 ? {} : { range: `bytes=${start}-` };
    return this.#fetch(path, { headers, signal });
  }

  async *#events(id: string, signal: AbortSignal): AsyncGenerator<RunView> {
    const { body } = await this.#fetch(`${pathOf(id)}/events`, {
      headers: { accept: 'text/event-stream' },
      signal,
    });
    if (body === null) return;
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const piece of bodyPieces(body, signal)) {
        text += decoder.decode(piece, { stream: true });
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) yield JSON.parse(data);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  async #json<T>(method: string, path: string, body?: string | FormData): Promise<T> {
    const headers: Record<string, string> =
      typeof body === 'string' ? { 'content-type': 'application/json' } : {};
    const answer = await this.#fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
    const value: T = JSON.parse(await answer.text());
    return value;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#key !== undefined) headers.set('authorization', `Bearer ${this.#key}`);
    let answer: Response;
    try {
      answer = await fetch(this.server + path, { ...init, headers, redirect: 'error' });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw this.#unreachable(error);
    }
    if (answer.ok) return answer;
    const message = await messageOf(answer);
    throw new ProducerError(
      this.server,
      answer.status,
      answer.status === 401 ? `${message} ${this.#keyAdvice}` : message,
    );
  }

  get #keyAdvice(): string {
    return this.#key === undefined
      ? 'Name yours with SLUICE_API_KEY, or its file with SLUICE_API_KEY_FILE.'
      : 'Look at SLUICE_API_KEY, or SLUICE_API_KEY_FILE.';
  }

  #unreachable(error: unknown): ProducerError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message || cause.name : String(cause);
    const message = `The producer at ${this.server} cannot be reached: ${why}. Start one with sluice dev, or name it with --server.`;
    return new ProducerError(this.server, undefined, message);
  }
}

const pathOf = (id: string): string => `/v1/runs/${encodeURIComponent(id)}`;

async function messageOf(answer: Response): Promise<string> {
  const text = await answer.text();
  const again = answer.headers.get('retry-after');
  const advice = again === null ? '' : ` Try again in ${again} seconds.`;
  try {
    const { error }: { error: { message: string } } = JSON.parse(text);
    return `${error.message.replace(/ Try again\.$/, '')}${advice}`;
  } catch {
    return `The producer answered ${answer.status} ${answer.statusText}.${advice}`;
  }
}
