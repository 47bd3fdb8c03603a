import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunView } from '#run/run-view.js';
import { upload } from '../api/request.js';

export interface Sending {
  /** Share of the bytes that is sent, 0..1; undefined while nothing is sent. */
  readonly sent: number | undefined;
  /** Never settles when it is stopped. @throws ApiProblem */
  readonly send: (options: object, files: readonly File[]) => Promise<RunView>;
  readonly stop: () => void;
}

/** Sends a run with its corpus; whoever leaves the form stops that. */
export function useSending(): Sending {
  const [sent, setSent] = useState<number>();
  const stopper = useRef<AbortController>(undefined);
  useEffect(() => () => stopper.current?.abort(), []);
  const send = async (options: object, files: readonly File[]): Promise<RunView> => {
    stopper.current = new AbortController();
    setSent(0);
    try {
      return await upload<RunView>('/v1/runs', options, files, setSent, stopper.current.signal);
    } finally {
      setSent(undefined);
    }
  };
  const stop = (): void => {
    stopper.current?.abort();
    setSent(undefined);
  };
  return { sent, send, stop };
}
