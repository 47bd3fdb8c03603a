/** The producer refused, or did not answer. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    /** Of HTTP; 0 where there was no answer. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Sent when the producer wants to know who asks. */
export const SIGNED_OUT = 'sluice:signed-out';

export const get = <T>(path: string): Promise<T> => request<T>('GET', path);
export const post = <T>(path: string, body?: object): Promise<T> => request<T>('POST', path, body);
export const remove = (path: string): Promise<void> => request<void>('DELETE', path);

/** @throws ApiProblem */
async function request<T>(method: string, path: string, body?: object): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin' };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(path, init).catch(() => {
    throw new ApiProblem(0, 'The producer does not answer.');
  });
  return parsed(okText(answer.status, await answer.text()));
}

/** Text of an answer that is no JSON, such as a card. @throws ApiProblem */
export async function getText(path: string): Promise<string> {
  const answer = await fetch(path, { credentials: 'same-origin' }).catch(() => {
    throw new ApiProblem(0, 'The producer does not answer.');
  });
  return okText(answer.status, await answer.text());
}

/**
 * Sends a run with its files.
 * @param onSent hears which share of the bytes is sent, 0..1
 * @param stop aborts it: it never settles then
 * @throws ApiProblem
 */
export function upload<T>(
  path: string,
  options: object,
  files: readonly File[],
  onSent: (share: number) => void,
  stop: AbortSignal,
): Promise<T> {
  const form = new FormData();
  form.append('options', JSON.stringify(options));
  for (const file of files) form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    // fetch tells nothing of how much of a body is sent.
    const sending = new XMLHttpRequest();
    sending.open('POST', path);
    sending.upload.addEventListener('progress', ({ loaded, total }) => {
      if (total > 0) onSent(loaded / total);
    });
    sending.addEventListener('error', () => reject(new ApiProblem(0, 'The producer does not answer.')));
    sending.addEventListener('load', () => {
      try {
        resolve(parsed(okText(sending.status, sending.responseText)));
      } catch (error) {
        reject(error);
      }
    });
    stop.addEventListener('abort', () => sending.abort());
    sending.send(form);
  });
}

function okText(status: number, text: string): string {
  if (status < 200 || status >= 300) throw problemOf(status, text);
  return text;
}

const parsed = (text: string): ReturnType<typeof JSON.parse> => (text === '' ? undefined : JSON.parse(text));

function problemOf(status: number, text: string): ApiProblem {
  if (status === 401) dispatchEvent(new Event(SIGNED_OUT));
  return new ApiProblem(status, messageOf(text) ?? `The producer answered ${status}.`);
}

function messageOf(text: string): string | undefined {
  try {
    const body: { error?: { message?: unknown } } = JSON.parse(text);
    return typeof body.error?.message === 'string' ? body.error.message : undefined;
  } catch {
    return undefined;
  }
}

export const messageFrom = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
