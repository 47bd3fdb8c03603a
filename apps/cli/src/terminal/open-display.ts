import { LineDisplay } from './line-display.js';
import { LiveDisplay } from './live-display.js';
import type { ColourStream } from './paint.js';
import { paintFor } from './paint.js';
import type { Progress, ProgressDisplay, ProgressView } from './progress-display.js';
import type { Screen } from './screen-frame.js';

const silence: ProgressDisplay<Progress> = { update() {}, note() {}, close() {} };

/**
 * The display that suits a stream: a live picture on a terminal, plain lines elsewhere and on a dumb one.
 *
 * @param stream where people look, usually `process.stderr`
 * @param silent shows nothing: quiet mode, and JSON mode, where programs read
 */
export function openDisplay<P extends Progress>(
  stream: Screen & ColourStream,
  env: NodeJS.ProcessEnv,
  silent: boolean,
  view: ProgressView<P>,
): ProgressDisplay<P> {
  if (silent) return silence;
  if (!stream.isTTY || env['TERM'] === 'dumb') return new LineDisplay(stream, view);
  return new LiveDisplay(stream, paintFor(stream, env), view);
}
