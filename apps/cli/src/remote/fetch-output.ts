import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReadStream } from 'node:fs';
import type { RunOutput } from '#run/run-view.js';
import { bodyPieces } from './body-pieces.js';
import type { ProducerClient } from './producer-client.js';
import { ProducerError } from './producer-client.js';

/** An output that is not what the run wrote. */
export class FetchedOutputError extends Error {
  override readonly name = 'FetchedOutputError';
}

/** Attempts without a byte more before it is given up, and the pause between two, ms. */
const ATTEMPTS = 5;
const AGAIN_MS = 1000;

/**
 * Downloads the output of a run to a file: beside it first, from where an earlier attempt ended, its hash checked before
 * it gets its name.
 * @throws FetchedOutputError, ProducerError; the signal's reason
 */
export async function fetchOutput(
  client: ProducerClient,
  { path, bytes, sha256 }: RunOutput,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const part = `${target}.part`;
  let have = await sizeOf(part);
  if (have > bytes) have = 0;
  for (let attempt = 1; have < bytes;) {
    const before = have;
    try {
      have = await append(client, path, part, have, signal);
    } catch (error) {
      signal.throwIfAborted();
      have = await sizeOf(part);
      attempt = have > before ? 1 : attempt + 1;
      const isGone = !(error instanceof ProducerError) || error.status === undefined || error.status >= 500;
      if (!isGone || attempt > ATTEMPTS) throw error;
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }
  if (bytes === 0) await (await open(part, 'w')).close();
  const found = createHash('sha256');
  for await (const piece of createReadStream(part)) found.update(piece);
  if (found.digest('hex') !== sha256) {
    await (await open(part, 'w')).close();
    throw new FetchedOutputError(
      `What came is not what the run wrote: its sha256 is not ${sha256}. Fetch it again.`,
    );
  }
  await rename(part, target);
}

/** @returns bytes that are there then */
async function append(
  client: ProducerClient,
  path: string,
  part: string,
  have: number,
  signal: AbortSignal,
): Promise<number> {
  const answer = await client.download(path, have, signal);
  const start = answer.status === 206 ? have : 0;
  const file: FileHandle = await open(part, start === 0 ? 'w' : 'r+');
  let at = start;
  try {
    for await (const piece of answer.body === null ? [] : bodyPieces(answer.body, signal)) {
      await file.write(piece, 0, piece.length, at);
      at += piece.length;
    }
  } finally {
    await file.close();
  }
  return at;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
