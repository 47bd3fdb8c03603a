import { useLayoutEffect, useRef, useState } from 'preact/hooks';

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
  const asking = useRef<HTMLButtonElement>(null);
  const yes = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  // What had the focus goes away with the question, and with the answer.
  useLayoutEffect(() => {
    if (isAsking) yes.current?.focus();
    else if (wasAsking.current) asking.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button type="button" class="danger" ref={asking} onClick={() => setAsking(true)}>
        {children}
      </button>
    );
  }
  return (
    <span
      class="asking"
      role="group"
      aria-label={question}
      onKeyDown={({ key }) => {
        if (key === 'Escape') setAsking(false);
      }}
    >
      <span>{question}</span>
      <button
        type="button"
        class="danger"
        ref={yes}
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
