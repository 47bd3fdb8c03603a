import { shownName, shownNames } from './file-name.js';
import type { Checksum } from './repository-files.js';

/** What can be wrong with what a repository holds or with the place that it shall go to. */

/** What came is not what the repository lists. */
export class ChecksumError extends Error {
  override readonly name = 'ChecksumError';

  constructor(
    readonly file: string,
    readonly expected: Checksum,
    readonly found: string,
  ) {
    super(
      `${shownName(file)} came with ${expected.kind} ${found}, where the repository lists ${expected.hex}: it was damaged or changed on its way and has been deleted. Run the command again; if it stays so, HF_ENDPOINT or a proxy serves something else.`,
    );
  }
}

/** More came than the repository lists. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(
    readonly file: string,
    readonly size: number,
  ) {
    super(
      `${shownName(file)} is longer than the ${size} bytes that the repository lists; HF_ENDPOINT or a proxy serves something else.`,
    );
  }
}

/** The answer for a file is of another size from the start, as that of a log-in page is. */
export class WrongSizeError extends Error {
  override readonly name = 'WrongSizeError';

  constructor(
    readonly file: string,
    readonly host: string,
    readonly expected: number,
    readonly found: number,
    type: string | null,
  ) {
    super(
      `${shownName(file)}: ${host} sends ${found} bytes${type === null ? '' : ` of ${shownName(type)}`}, where ${expected} are missing; a proxy, a log-in page or a mirror serves something else.`,
    );
  }
}

/** The name of a file is none that may be written. */
export class UnsafeNameError extends Error {
  override readonly name = 'UnsafeNameError';

  constructor(
    readonly repository: string,
    readonly file: string,
  ) {
    super(
      `${repository} has a file ${JSON.stringify(shownName(file))}, whose name may lead out of a folder or is taken here; it is not pulled.`,
    );
  }
}

/** A repository without something that every readable model has. */
export class NotReadableError extends Error {
  override readonly name = 'NotReadableError';

  constructor(
    readonly repository: string,
    readonly missing: 'config.json' | 'weights' | 'tokenizer',
    readonly found: readonly string[],
  ) {
    const expected = {
      'config.json': 'config.json',
      weights: 'model.safetensors or pytorch_model.bin, whole or in shards',
      tokenizer: 'tokenizer.json, vocab.txt, or vocab.json with merges.txt',
    };
    super(
      `${repository} has no ${missing === 'config.json' ? missing : `${missing} that can be read`}: expected ${expected[missing]}; found ${shownNames(found) || 'nothing'}. For a model of other files name them: --include '*.bin' --include '*.json'.`,
    );
  }
}

export class NothingIncludedError extends Error {
  override readonly name = 'NothingIncludedError';

  constructor(
    readonly repository: string,
    readonly pattern: string,
    readonly found: readonly string[],
  ) {
    super(`--include ${pattern} matches no file of ${repository}; it has ${shownNames(found) || 'none'}.`);
  }
}

/** The index of sharded weights cannot be used. */
export class ShardIndexError extends Error {
  override readonly name = 'ShardIndexError';

  constructor(
    readonly repository: string,
    readonly file: string,
    problem: string,
  ) {
    super(`${repository}: ${file} ${problem}`);
  }
}

/** The directory holds something else. */
export class PullTargetError extends Error {
  override readonly name = 'PullTargetError';

  constructor(
    readonly directory: string,
    problem: string,
  ) {
    super(`${directory} ${problem}`);
  }
}

export class DiskSpaceError extends Error {
  override readonly name = 'DiskSpaceError';

  /** @param needed bytes, as `free` */
  constructor(
    readonly directory: string,
    readonly needed: number,
    readonly free: number,
  ) {
    super(
      `${directory}: ${needed} bytes are still to be written and ${free} are free. Free some space or choose another --out.`,
    );
  }
}

/** The user stopped it. */
export class PullStoppedError extends Error {
  override readonly name = 'PullStoppedError';

  constructor(readonly directory: string) {
    super(`Stopped. What has been downloaded is kept in ${directory}: the same command goes on.`);
  }
}
