import { RepositoryNameError } from './hub-errors.js';

/** A model on a hub, at a branch, tag or commit. */
export interface Repository {
  /** `name` or `owner/name`. */
  readonly id: string;
  readonly revision: string;
}

const part = /^[A-Za-z0-9_][\w.-]*$/;

/** Reads `owner/name@revision`; the revision is main where none is given. @throws RepositoryNameError */
export function parseRepository(given: string): Repository {
  const at = given.indexOf('@');
  const id = at < 0 ? given : given.slice(0, at);
  const revision = at < 0 ? 'main' : given.slice(at + 1);
  if (!isRepositoryId(id)) {
    throw new RepositoryNameError(
      given,
      `Expected the id of a model, such as google-bert/bert-base-uncased, or with a revision google-bert/bert-base-uncased@main; got ${JSON.stringify(given)}.`,
    );
  }
  if (!isRevision(revision)) {
    throw new RepositoryNameError(
      given,
      `Expected a branch, tag or commit behind the @; got ${JSON.stringify(revision)}.`,
    );
  }
  return { id, revision };
}

/** As huggingface_hub's `validate_repo_id` has it. */
function isRepositoryId(id: string): boolean {
  const parts = id.split('/');
  return (
    parts.length <= 2 &&
    parts.every((each) => part.test(each) && !/[-.]$/.test(each)) &&
    !/--|\.\./.test(id) &&
    !id.endsWith('.git') &&
    parts.at(-1)!.length <= 96
  );
}

/** What git allows in the name of a branch or tag. */
function isRevision(revision: string): boolean {
  return /^[^\s~^:?*[\\\p{Control}]+$/u.test(revision) && !/\.\.|^\.|\.$|^\/|\/$/.test(revision);
}
