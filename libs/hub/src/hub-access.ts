import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HubSettingError } from './hub-errors.js';

/** How to reach a hub, as the environment says. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own origin, and to no other. */
  readonly token: string | undefined;
  /** There is a token, but it would cross a network in clear text. */
  readonly tokenWithheld: boolean;
  /** How long the hub may be silent, ms. */
  readonly stallMs: number;
}

const STALL_SECONDS = 30;

/**
 * Reads the variables that huggingface_hub has: `HF_ENDPOINT`, `HF_TOKEN` (before it `HUGGING_FACE_HUB_TOKEN`),
 * `HF_TOKEN_PATH`, `HF_HOME`, `HF_HUB_DISABLE_IMPLICIT_TOKEN`, `HF_HUB_DOWNLOAD_TIMEOUT`, `HF_HUB_OFFLINE`.
 * @throws HubSettingError
 */
export async function readHubAccess(env: NodeJS.ProcessEnv): Promise<HubAccess> {
  if (isTrue(env['HF_HUB_OFFLINE'])) {
    throw new HubSettingError('HF_HUB_OFFLINE', 'is set, so nothing is downloaded. Unset it to pull.');
  }
  const endpoint = endpointOf(env['HF_ENDPOINT'] || 'https://huggingface.co');
  const token = isTrue(env['HF_HUB_DISABLE_IMPLICIT_TOKEN']) ? undefined : await readToken(env);
  const clearText = endpoint.protocol === 'http:' && !isLoopback(endpoint.hostname);
  return {
    endpoint: endpoint.href.replace(/\/+$/, ''),
    token: clearText ? undefined : token,
    tokenWithheld: clearText && token !== undefined,
    stallMs: stallSeconds(env['HF_HUB_DOWNLOAD_TIMEOUT']) * 1000,
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new HubSettingError('HF_ENDPOINT', 'is no address: expected one such as https://huggingface.co.');
  }
  // An address is printed; a password shall not be.
  if (url.username !== '' || url.password !== '') {
    throw new HubSettingError('HF_ENDPOINT', 'holds a user name or password: use HF_TOKEN instead.');
  }
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

async function readToken(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const setting = env['HF_TOKEN'] ? 'HF_TOKEN' : 'HUGGING_FACE_HUB_TOKEN';
  const given = env[setting];
  if (given) return checkedToken(setting, given);
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const home = withHome(env['HF_HOME'] || join(cache, 'huggingface'));
  const path = withHome(env['HF_TOKEN_PATH'] || join(home, 'token'));
  try {
    return checkedToken(`The token in ${path}`, await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof HubSettingError || !(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new HubSettingError(`The token file ${path}`, `cannot be read (${String(error.code)}).`);
  }
}

/** The errors of fetch would print a token that no header can carry. */
function checkedToken(where: string, text: string): string | undefined {
  const token = text.trim();
  if (token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new HubSettingError(where, 'holds blanks or characters that no token has.');
}

function withHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function stallSeconds(text: string | undefined): number {
  if (!text) return STALL_SECONDS;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return seconds;
  throw new HubSettingError('HF_HUB_DOWNLOAD_TIMEOUT', `is ${text}: expected seconds, up to 3600.`);
}

function isTrue(text: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(text ?? '');
}
