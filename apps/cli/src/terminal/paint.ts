import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

/** Colours a text, or leaves it alone where colours are not wanted. Colouring does not change a text's width. */
export interface Paint {
  readonly style: (style: Style, text: string) => string;
  /** @param depth 0 (cool) to 1 (warm) */
  readonly heat: (depth: number, text: string) => string;
}

/** What it takes of a stream to know its colours; `process.stdout` and `process.stderr` have it. */
export interface ColourStream {
  readonly isTTY?: boolean | undefined;
  getColorDepth?(env: NodeJS.ProcessEnv): number;
}

export const plainPaint: Paint = { style: (_, text) => text, heat: (_, text) => text };

/** Blue over green and yellow to red, in the 256 colours and in the 16 of older terminals. */
const heat256 = [33, 38, 43, 78, 113, 148, 184, 220, 214, 208, 202, 196];
const heat16 = ['blue', 'cyan', 'green', 'yellow', 'red'] as const;

/**
 * The colours of a stream: those of its terminal, none where it is no terminal. `NO_COLOR` (no-color.org) and
 * `TERM=dumb` switch them off, `FORCE_COLOR` sets them: 0 none, 1 sixteen, 2 and 3 more.
 */
export function paintFor(stream: ColourStream, env: NodeJS.ProcessEnv): Paint {
  const bits = colourBits(stream, env);
  if (bits < 4) return plainPaint;
  return {
    style: colour,
    heat(depth, text) {
      if (bits < 8) return colour(pick(heat16, depth), text);
      return text === '' ? '' : `\x1b[38;5;${pick(heat256, depth)}m${text}\x1b[39m`;
    },
  };
}

function colourBits(stream: ColourStream, env: NodeJS.ProcessEnv): number {
  if (env['NO_COLOR']) return 1;
  switch (env['FORCE_COLOR']) {
    case undefined:
      return stream.isTTY && stream.getColorDepth ? stream.getColorDepth(env) : 1;
    case '0':
    case 'false':
      return 1;
    case '2':
    case '3':
      return 8;
    default:
      return 4;
  }
}

function colour(style: Style | (typeof heat16)[number], text: string): string {
  return text === '' ? '' : styleText(style, text, { validateStream: false });
}

function pick<T>(scale: readonly T[], depth: number): T {
  return scale[Math.round(Math.min(Math.max(depth, 0), 1) * (scale.length - 1))]!;
}
