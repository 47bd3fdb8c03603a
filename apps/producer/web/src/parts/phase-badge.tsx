/** Where a run or a training stands, in a word; the colour says nothing more. */
export function PhaseBadge({ phase }: { readonly phase: string }) {
  return <span class={`badge ${phase}`}>{phase}</span>;
}
