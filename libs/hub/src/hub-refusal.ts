import type { HubAnswer } from './ask-hub.js';
import type { HubAccess } from './hub-access.js';
import {
  AccessRefusedError,
  GatedRepositoryError,
  HubAnswerError,
  HubStatusError,
  LinkExpiredError,
  RepositoryNotFoundError,
  RevisionNotFoundError,
} from './hub-errors.js';
import type { Repository } from './repository.js';

/**
 * What an answer other than the one asked for means. `X-Error-Code` says it where the hub itself answers; a 401
 * without it is its answer for models that are not there or private, as huggingface_hub's `hf_raise_for_status` has it.
 *
 * @param asked the file, or what else was asked for
 */
export function refusalOf(
  answer: HubAnswer,
  { id, revision }: Repository,
  asked: string,
  { endpoint, token }: HubAccess,
): Error {
  const { status, headers, host, own } = answer;
  const withToken = token !== undefined;
  if (!own && status < 500 && status !== 429) return new LinkExpiredError(host, status, asked);
  switch (headers.get('x-error-code') ?? '') {
    case 'RepoNotFound':
      return new RepositoryNotFoundError(host, id, withToken);
    case 'RevisionNotFound':
      return new RevisionNotFoundError(id, revision);
    case 'GatedRepo':
      return new GatedRepositoryError(id, `${endpoint}/${id}`, withToken);
    case 'EntryNotFound':
      return new HubAnswerError(host, `lists ${asked} in ${id} but does not have it.`);
    default:
      return statusRefusal(answer, id, asked, withToken);
  }
}

function statusRefusal(
  { status, headers, host }: HubAnswer,
  id: string,
  asked: string,
  withToken: boolean,
): Error {
  switch (status) {
    case 401:
      return new RepositoryNotFoundError(host, id, withToken);
    case 403:
      return new AccessRefusedError(host, id, status);
    case 404:
      return new HubAnswerError(host, `answers 404 for ${asked} of ${id}. Check HF_ENDPOINT and the name.`);
    default:
      return new HubStatusError(host, status, `${asked} of ${id}`, waitOf(headers, Date.now()));
  }
}

/**
 * How long a hub asks to be left alone, ms: `Retry-After` in seconds or as a date, or `RateLimit: "api";r=0;t=55` as
 * Hugging Face sends it with a 429.
 */
export function waitOf(headers: Headers, now: number): number | undefined {
  const after = headers.get('retry-after');
  if (after !== null && /^\d+$/.test(after)) return Number(after) * 1000;
  if (after !== null && !Number.isNaN(Date.parse(after))) return Math.max(Date.parse(after) - now, 0);
  const reset = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? undefined : Number(reset) * 1000;
}
