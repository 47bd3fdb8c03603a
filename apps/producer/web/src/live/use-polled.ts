import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiProblem, get, messageFrom } from '../api/request.js';

export interface Asked<T> {
  readonly data: T | undefined;
  /** Why there is none, or none newer. */
  readonly problem: ApiProblem | undefined;
  /** Asks at once. */
  readonly again: () => void;
}

/**
 * What the API answers, asked again and again while somebody looks at the page, and at once when they look again.
 * @param everyMs absent: once
 */
export function usePolled<T>(path: string, everyMs?: number): Asked<T> {
  const [asked, setAsked] = useState<{ path: string; data?: T; problem?: ApiProblem }>({ path });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const ask = async (): Promise<void> => {
      try {
        const data = await get<T>(path);
        if (!isOver) setAsked({ path, data });
      } catch (error) {
        const problem = error instanceof ApiProblem ? error : new ApiProblem(0, messageFrom(error));
        // What was there is shown on, with the problem.
        if (!isOver)
          setAsked((before) => (before.path === path ? { ...before, problem } : { path, problem }));
      }
      later();
    };
    const later = (): void => {
      // Asked by the clock and by a look at the same time, it would else go on twice.
      clearTimeout(timer);
      if (!isOver && everyMs !== undefined && !document.hidden)
        timer = window.setTimeout(() => void ask(), everyMs);
    };
    const looked = (): void => {
      if (!document.hidden && everyMs !== undefined) void ask();
    };
    // A page that is opened in the background is there when somebody comes to it.
    void ask();
    document.addEventListener('visibilitychange', looked);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', looked);
    };
  }, [path, everyMs, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const isOfPath = asked.path === path;
  return {
    data: isOfPath ? asked.data : undefined,
    problem: isOfPath ? asked.problem : undefined,
    again,
  };
}
