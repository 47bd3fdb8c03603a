import type { HubAccess } from './hub-access.js';
import { HubAnswerError, HubConnectionError, HubStalledError } from './hub-errors.js';
import { redirectTarget } from './redirect-target.js';

/** A hub's answer, wherever its redirects led. Its body must be read to an end or dismissed. */
export interface HubAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Who answered. */
  readonly host: string;
  /** The endpoint itself answered, and not a storage host that it names. */
  readonly own: boolean;
  /** The commit that the endpoint says its file is of. */
  readonly commit: string | null;
  readonly body: () => AsyncGenerator<Uint8Array>;
  readonly dismiss: () => Promise<void>;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/** As many as browsers and huggingface_hub's client come along with, and more than a hub needs (two). */
const MOST_REDIRECTS = 8;

/**
 * Sends a GET request and follows its redirects. The token goes to the endpoint's origin only, and no more once another
 * origin has had a say; a redirect from https never leads to http.
 *
 * @param path below the endpoint, with the slash that it begins with
 * @throws HubConnectionError, HubStalledError, HubAnswerError, and the signal's reason
 */
export async function askHub(
  { endpoint, token, stallMs }: HubAccess,
  path: string,
  { headers, signal }: AskOptions,
): Promise<HubAnswer> {
  let url = new URL(endpoint + path);
  const { origin } = url;
  let own = true;
  let commit: string | null = null;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const silence = new Silence(url.host, stallMs, signal);
    const response = await silence.during(() =>
      fetch(url, {
        redirect: 'manual',
        signal: silence.signal,
        headers: {
          'user-agent': 'sluice',
          // A file's bytes and their ranges are those of the file itself.
          'accept-encoding': 'identity',
          ...headers,
          ...(own && token !== undefined && { authorization: `Bearer ${token}` }),
        },
      }),
    );
    if (own) commit ??= response.headers.get('x-repo-commit');
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      return answerOf(response, silence, { host: url.host, own, commit });
    }
    await response.body?.cancel();
    url = redirectTarget(url, location);
    own &&= url.origin === origin;
  }
  throw new HubAnswerError(new URL(endpoint).host, `redirects more than ${MOST_REDIRECTS} times.`);
}

function answerOf(
  response: Response,
  silence: Silence,
  of: { readonly host: string; readonly own: boolean; readonly commit: string | null },
): HubAnswer {
  return {
    ...of,
    status: response.status,
    headers: response.headers,
    async *body() {
      const reader = response.body?.getReader();
      if (reader === undefined) return;
      try {
        while (true) {
          const block = await silence.during(() => reader.read());
          if (block.done) return;
          yield block.value;
        }
      } finally {
        await reader.cancel().catch(() => undefined);
      }
    },
    dismiss: async () => {
      await response.body?.cancel().catch(() => undefined);
    },
  };
}

/** Ends a request when its host has been silent for too long, or the user has stopped it. */
class Silence {
  readonly signal: AbortSignal;
  readonly #host: string;
  readonly #stallMs: number;
  readonly #stalled = new AbortController();
  readonly #stop: AbortSignal;

  constructor(host: string, stallMs: number, stop: AbortSignal) {
    this.#host = host;
    this.#stallMs = stallMs;
    this.#stop = stop;
    this.signal = AbortSignal.any([stop, this.#stalled.signal]);
  }

  /** Only while somebody waits for the host does its silence count. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#stalled.abort(), this.#stallMs);
    try {
      return await wait();
    } catch (error) {
      this.#stop.throwIfAborted();
      if (this.#stalled.signal.aborted) throw new HubStalledError(this.#host, this.#stallMs);
      throw new HubConnectionError(this.#host, codeOf(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What fetch calls `fetch failed` or `terminated` has its reason in its cause, for two addresses in the errors of that. */
function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && cause.code !== '') return cause.code;
    if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  }
  return error instanceof Error ? error.message : 'unknown reason';
}
