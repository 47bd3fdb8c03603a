/** A rectangle, in pixels, y downwards. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where the middle of a label's base line goes. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
  /** Whether the label stands so far off that a line should lead to its point. */
  readonly led: boolean;
}

const characterWidth = 7;
const lineHeight = 15;
const pointRadius = 6;
const longestName = 12;

/**
 * Places a label near each point, so that it covers no point, no other label, and stays in the frame: above or below, at
 * the nearest free height.
 */
export function labelPlaces(points: readonly LabelledPoint[], frame: Box): LabelPlace[] {
  const taken = points.map(({ x, y }) => boxAround(x, y, pointRadius, pointRadius));
  return points.map(({ x, y, text }) => {
    const half = (text.length * characterWidth) / 2 + 2;
    const middle = Math.min(Math.max(x, frame.left + half), frame.right - half);
    const offsets = Array.from({ length: 24 }, (_, index) => {
      const distance = 15 + (index >> 1) * lineHeight;
      return index % 2 === 0 ? -distance : distance;
    });
    const boxOf = (offset: number): Box => boxAround(middle, y + offset, half, lineHeight / 2);
    const free = offsets.find((offset) => {
      const box = boxOf(offset);
      return (
        box.top >= frame.top && box.bottom <= frame.bottom && !taken.some((other) => overlap(box, other))
      );
    });
    const offset = free ?? -15;
    taken.push(boxOf(offset));
    return { x: middle, y: y + offset + 4, led: Math.abs(offset) > 15 };
  });
}

/** Speeds and presets as they are, of a policy file its name without folders, cut where it is long. */
export function shortName(name: string): string {
  const bare = name.split(/[/\\]/).at(-1) ?? name;
  return bare.length > longestName ? `${bare.slice(0, longestName - 1)}…` : bare;
}

function boxAround(x: number, y: number, halfWidth: number, halfHeight: number): Box {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
