import { percentText } from '../words/quantity.js';

/** @param share 0..1; undefined while nobody knows how much there is */
export function ProgressBar({
  share,
  label,
}: {
  readonly share: number | undefined;
  readonly label: string;
}) {
  return share === undefined ? (
    <progress aria-label={label} />
  ) : (
    <progress aria-label={label} max={1} value={share}>
      {percentText(share)}
    </progress>
  );
}
