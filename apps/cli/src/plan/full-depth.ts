import type { Manifest } from '#model/bundle/manifest.js';
import type { Pilot } from '#planner/pilot.js';

/** A byte or two more than a token of English has. */
const TEXT_BYTES_PER_TOKEN = 6;

/** The most that rows can take: all through every layer, as long as the model reads. */
export function fullDepth({ exits, maxLength, stages }: Manifest): Pilot {
  return {
    rows: 1,
    tokensPerRow: maxLength,
    textBytesPerRow: maxLength * TEXT_BYTES_PER_TOKEN,
    exits: [{ layer: exits.at(-1)!.layer, rows: 1 }],
    lengths: stages.map(() => [{ length: maxLength, rows: 1 }]),
  };
}
