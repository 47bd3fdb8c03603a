/** Made when it is first needed: the tables behind it take longer to load than most commands' own modules. */
let integers: Intl.NumberFormat | undefined;

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12,345`. */
export function countText(count: number): string {
  integers ??= new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  return integers.format(count);
}

/** `12.3 %`. A share that is not all stays below `100.0 %`, and one that is something above `0.0 %`. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent > 99.9 && percent < 100) return '99.9 %';
  if (percent > 0 && percent < 0.1) return '0.1 %';
  return `${percent.toFixed(1)} %`;
}

/** `0.984`. */
export function scoreText(score: number): string {
  return score.toFixed(3);
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

/** `512 B`, `1.2 kB`, `440 MB`, `12.3 GB`, in powers of a thousand, as networks and disks are sold. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit]!}`;
}

/** `1,204 rows/s`, `0.7 rows/s`. */
export function rateText(rowsPerSecond: number): string {
  const rate = rowsPerSecond < 10 ? rowsPerSecond.toFixed(1) : countText(rowsPerSecond);
  return `${rate} rows/s`;
}

/** `1 row`, `2 rows`. */
export function rowsText(rows: number): string {
  return `${countText(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
