import { z } from 'zod';

const seconds = z.number().positive();

const peerAnswer = z.object({
  /** Of each row of the corpus, numbers in the checkpoint's order. */
  labels: z.array(z.int().nonnegative()),
  /** From the first text to the last label: the model is loaded, tokenising is part of it. */
  wallSeconds: seconds,
  cpuSeconds: seconds,
  /** Of the process since its start, when it had its labels. */
  processCpuSeconds: seconds,
  peakBytes: z.number().positive(),
  /** What the peer runs with. */
  notes: z.record(z.string(), z.string()),
  /** Of Python and the packages. */
  versions: z.record(z.string(), z.string()),
});

/** What run_peer.py writes. */
export type PeerAnswer = z.infer<typeof peerAnswer>;

/** A peer's answer is not what it should be. */
export class PeerAnswerError extends Error {
  override readonly name = 'PeerAnswerError';
}

/**
 * @param rows of the corpus
 * @param labels of the model
 * @throws PeerAnswerError
 */
export function readPeerAnswer(json: string, rows: number, labels: number): PeerAnswer {
  const { data, error } = peerAnswer.safeParse(parsed(json));
  if (data === undefined) {
    throw new PeerAnswerError(`The peer's answer is none:\n${z.prettifyError(error)}`);
  }
  if (data.labels.length !== rows) {
    throw new PeerAnswerError(`The peer had ${rows} rows and gave ${data.labels.length}.`);
  }
  const wrong = data.labels.findIndex((label) => label >= labels);
  if (wrong >= 0) {
    throw new PeerAnswerError(
      `The peer gave row ${wrong} label ${data.labels[wrong]}; the model has ${labels}.`,
    );
  }
  return data;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
