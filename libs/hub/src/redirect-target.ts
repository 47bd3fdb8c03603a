import { HubAnswerError } from './hub-errors.js';

/**
 * Where a redirect leads. Never from https to http: what was asked in private is not said aloud.
 * @throws HubAnswerError where it is not followed
 */
export function redirectTarget(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || !/^https?:$/.test(to.protocol) || to.username !== '' || to.password !== '') {
    throw new HubAnswerError(from.host, 'redirects to something that is no address.');
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new HubAnswerError(from.host, `redirects from https to http (${to.host}), which is not followed.`);
  }
  return to;
}
