import { shownName } from './file-name.js';

/** What can go wrong between here and a hub; each says what to do. Text that a server sent is never printed raw. */

/** Trouble that may be over in a moment, so that the same request is worth another try. */
export interface PassingTrouble extends Error {
  readonly passing: boolean;
  /** How long the hub asked to be left alone, ms. */
  readonly waitMs?: number | undefined;
}

export function isPassing(error: unknown): error is PassingTrouble {
  return error instanceof Error && 'passing' in error && error.passing === true;
}

/** A setting of the environment that cannot be used. */
export class HubSettingError extends Error {
  override readonly name = 'HubSettingError';

  constructor(
    readonly setting: string,
    problem: string,
  ) {
    super(`${setting} ${problem}`);
  }
}

/** The name of a repository or of its revision is none. */
export class RepositoryNameError extends Error {
  override readonly name = 'RepositoryNameError';

  constructor(
    readonly given: string,
    problem: string,
  ) {
    super(problem);
  }
}

const nobodyThere = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH/;

/** Nobody answers, or the connection broke. */
export class HubConnectionError extends Error implements PassingTrouble {
  override readonly name = 'HubConnectionError';
  readonly passing: boolean;

  /** @param code of the system or of TLS, such as ENOTFOUND */
  constructor(
    readonly host: string,
    readonly code: string,
  ) {
    const certificate = /CERT|SIGNATURE/.test(code);
    const what = nobodyThere.test(code) ? `${host} cannot be reached` : `the connection to ${host} broke`;
    super(
      certificate
        ? `${host}: its certificate is not trusted (${code}). Where a proxy signs with an authority of its own, name it in NODE_EXTRA_CA_CERTS.`
        : `${what} (${code}). Check the network and HF_ENDPOINT; behind a proxy, NODE_USE_ENV_PROXY=1 makes Node (22.21 or 24 and later) use HTTPS_PROXY. What has been downloaded is kept: the same command goes on.`,
    );
    this.passing = !certificate;
  }

  /** Nobody was there at all. */
  get unreachable(): boolean {
    return nobodyThere.test(this.code);
  }
}

/** The hub said nothing for too long. */
export class HubStalledError extends Error implements PassingTrouble {
  override readonly name = 'HubStalledError';
  readonly passing = true;

  constructor(
    readonly host: string,
    readonly stallMs: number,
  ) {
    super(
      `${host} has sent nothing for ${stallMs / 1000} s. What has been downloaded is kept: the same command goes on. HF_HUB_DOWNLOAD_TIMEOUT sets how many seconds it may be silent.`,
    );
  }
}

/** The hub answered with a status that nothing else here explains. */
export class HubStatusError extends Error implements PassingTrouble {
  override readonly name = 'HubStatusError';
  readonly passing: boolean;

  constructor(
    readonly host: string,
    readonly status: number,
    readonly asked: string,
    readonly waitMs: number | undefined,
  ) {
    const limited = status === 429 ? '; a token (HF_TOKEN) raises the limit on requests' : '';
    super(`${host} answered ${status} for ${asked}${limited}. The same command goes on where it was.`);
    this.passing = status === 429 || status === 408 || status >= 500;
  }
}

/** A storage host does not take the link that the hub gave out for it. Links are signed for a while only: the next will do. */
export class LinkExpiredError extends Error implements PassingTrouble {
  override readonly name = 'LinkExpiredError';
  readonly passing = true;

  constructor(
    readonly host: string,
    readonly status: number,
    readonly asked: string,
  ) {
    super(
      `${host}, where the hub's link for ${asked} leads, answered ${status}. The same command goes on where it was.`,
    );
  }
}

/** The answer ended before its file did. */
export class ShortAnswerError extends Error implements PassingTrouble {
  override readonly name = 'ShortAnswerError';
  readonly passing = true;

  constructor(
    readonly host: string,
    readonly file: string,
    readonly bytes: number,
    readonly size: number,
  ) {
    super(
      `${shownName(file)}: ${host} sent ${bytes} of ${size} bytes. The same command goes on where it was.`,
    );
  }
}

/** What came is no answer of a hub. */
export class HubAnswerError extends Error {
  override readonly name = 'HubAnswerError';

  constructor(
    readonly host: string,
    problem: string,
  ) {
    super(`${host} ${problem}`);
  }
}

export class RepositoryNotFoundError extends Error {
  override readonly name = 'RepositoryNotFoundError';

  constructor(
    readonly host: string,
    readonly repository: string,
    readonly withToken: boolean,
  ) {
    super(
      `${repository}: ${host} has no such model, or it is private` +
        (withToken
          ? ' and the token that was sent may not read it. Check the name and the rights of the token.'
          : '. Check the name; for a private model set HF_TOKEN.'),
    );
  }
}

export class RevisionNotFoundError extends Error {
  override readonly name = 'RevisionNotFoundError';

  constructor(
    readonly repository: string,
    readonly revision: string,
  ) {
    super(`${repository} has no branch, tag or commit ${revision}. Without @${revision}, main is pulled.`);
  }
}

/** The owner asks readers to accept terms first. */
export class GatedRepositoryError extends Error {
  override readonly name = 'GatedRepositoryError';

  constructor(
    readonly repository: string,
    readonly page: string,
    readonly withToken: boolean,
  ) {
    super(
      `${repository} is gated: accept its terms at ${page}` +
        (withToken ? ', with the account whose token is sent.' : ', then set HF_TOKEN.'),
    );
  }
}

export class AccessRefusedError extends Error {
  override readonly name = 'AccessRefusedError';

  constructor(
    readonly host: string,
    readonly repository: string,
    readonly status: number,
  ) {
    super(
      `${repository}: ${host} refuses access (${status}). Check that the token has the right to read this model.`,
    );
  }
}
