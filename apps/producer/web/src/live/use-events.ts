import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiProblem, get, messageFrom } from '../api/request.js';
import type { Asked } from './use-polled.js';

/** Between attempts to hear on where the server ended it. */
const AGAIN_MS = 2000;

interface Phased {
  readonly phase: string;
}

const goesOn = ({ phase }: Phased): boolean => phase === 'waiting' || phase === 'running';

/**
 * A run or a training as it goes on: what `path` answers, then each event of `path`/events until it is over. `isLost` while
 * nothing is heard of what goes on, and it is tried again.
 */
export function useEvents<T extends Phased>(path: string): Asked<T> & { readonly isLost: boolean } {
  const [heard, setHeard] = useState<{ path: string; data?: T; problem?: ApiProblem }>({ path });
  const [isLost, setLost] = useState(false);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    let source: EventSource | undefined;
    const later = (): void => {
      if (!isOver) timer = window.setTimeout(() => void begin(), AGAIN_MS);
    };
    const listen = (): void => {
      source = new EventSource(`${path}/events`);
      source.addEventListener('open', () => setLost(false));
      source.addEventListener('message', ({ data }: MessageEvent<string>) => {
        const view: T = JSON.parse(data);
        setHeard({ path, data: view });
        // Else the browser would begin to listen again when the events end.
        if (!goesOn(view)) source?.close();
      });
      source.addEventListener('error', () => {
        if (source?.readyState === EventSource.CLOSED) later();
        // A broken connection it takes up again by itself.
        else setLost(true);
      });
    };
    const begin = async (): Promise<void> => {
      try {
        const data = await get<T>(path);
        if (isOver) return;
        setHeard({ path, data });
        setLost(false);
        if (goesOn(data)) listen();
      } catch (error) {
        if (isOver) return;
        const problem = error instanceof ApiProblem ? error : new ApiProblem(0, messageFrom(error));
        setHeard((before) => (before.path === path ? { ...before, problem } : { path, problem }));
        const isTried = problem.status === 0 || problem.status >= 500;
        setLost(isTried);
        if (isTried) later();
      }
    };
    void begin();
    return () => {
      isOver = true;
      clearTimeout(timer);
      source?.close();
    };
  }, [path, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const isOfPath = heard.path === path;
  return {
    data: isOfPath ? heard.data : undefined,
    problem: isOfPath ? heard.problem : undefined,
    isLost,
    again,
  };
}
