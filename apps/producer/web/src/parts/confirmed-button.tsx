import { useState } from 'preact/hooks';

/** A button that asks once more before it does what cannot be undone. */
export function ConfirmedButton({
  children,
  question,
  onConfirm,
}: {
  readonly children: string;
  readonly question: string;
  readonly onConfirm: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {children}
      </button>
    );
  }
  return (
    <span class="asking" role="group" aria-label={question}>
      <span>{question}</span>
      <button
        type="button"
        class="danger"
        ref={(button) => button?.focus()}
        onClick={() => {
          setAsking(false);
          onConfirm();
        }}
      >
        Yes
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        No
      </button>
    </span>
  );
}
