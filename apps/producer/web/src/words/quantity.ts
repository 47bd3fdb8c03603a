/** Numbers as people read them. */

export const countText = (count: number): string => Math.round(count).toLocaleString('en');

/** `97.4 %`; of very small shares more digits. */
export function percentText(share: number): string {
  const percent = share * 100;
  const digits = percent !== 0 && Math.abs(percent) < 1 ? 2 : 1;
  return `${percent.toFixed(digits)} %`;
}

/** `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 2 h`. */
export function durationText(seconds: number): string {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [large, small, units] =
    whole < 3600
      ? [Math.floor(whole / 60), whole % 60, ['min', 's']]
      : whole < 86_400
        ? [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), ['h', 'min']]
        : [Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3600), ['d', 'h']];
  return small === 0 ? `${large} ${units[0]}` : `${large} ${units[0]} ${small} ${units[1]}`;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), SIZES.length - 1);
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} ${SIZES[power]}`;
}

export const rateText = (perSecond: number): string =>
  `${perSecond < 10 ? perSecond.toFixed(1) : countText(perSecond)} rows/s`;

export function timeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? iso
    : time.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/** Of an uncertainty or a confidence. */
export const fractionText = (value: number): string => value.toFixed(3);
