import { useState } from 'preact/hooks';
import { messageFrom, post, remove } from '../api/request.js';
import type { Session } from '../api/views.js';
import { navigate } from '../router.js';
import { ConfirmedButton } from './confirmed-button.js';
import { Problem } from './page.js';

/** What may be done with a run or a training: cancel it, go on with it, delete it. Nothing where the key does not allow that. */
export function LifeActions({
  path,
  of: { phase, owner },
  session,
  questions,
  home,
  onDone,
}: {
  /** Of the API. */
  readonly path: string;
  readonly of: { readonly phase: string; readonly owner: string };
  readonly session: Session;
  readonly questions: { readonly cancel: string; readonly delete: string };
  /** Where to go when it is deleted. */
  readonly home: string;
  readonly onDone: () => void;
}) {
  const [problem, setProblem] = useState<string>();
  if (session.scope === 'read') return null;
  if (session.scope !== 'admin' && owner !== session.id) return null;
  const act = async (what: Promise<unknown>, after: () => void): Promise<void> => {
    setProblem(undefined);
    try {
      await what;
      after();
    } catch (error) {
      setProblem(messageFrom(error));
    }
  };
  const isUnderWay = phase === 'waiting' || phase === 'running';
  return (
    <>
      {problem !== undefined && <Problem>{problem}</Problem>}
      {isUnderWay && (
        <ConfirmedButton
          question={questions.cancel}
          onConfirm={() => void act(post(`${path}/cancel`), onDone)}
        >
          Cancel
        </ConfirmedButton>
      )}
      {(phase === 'failed' || phase === 'cancelled') && (
        <button
          type="button"
          // What failed by its options fails again.
          class={phase === 'cancelled' ? 'primary' : ''}
          onClick={() => void act(post(`${path}/resume`), onDone)}
        >
          Resume
        </button>
      )}
      {!isUnderWay && (
        <ConfirmedButton
          question={questions.delete}
          onConfirm={() => void act(remove(path), () => navigate(home))}
        >
          Delete
        </ConfirmedButton>
      )}
    </>
  );
}
