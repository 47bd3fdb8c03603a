import { bar } from './bar.js';
import type { Paint } from './paint.js';
import type { Progress } from './progress-display.js';
import { percentText } from './progress-words.js';
import { padText, textWidth } from './text-width.js';

/** A bar wider than this says no more. */
export const widestBar = 50;

/** `pulling ███████░░░░░░  41 %`: what goes on and how far it is. @param phaseColumns of the longest phase */
export function phaseLine(
  { phase, fraction }: Progress,
  phaseColumns: number,
  columns: number,
  paint: Paint,
): string {
  const name = padText(phase, phaseColumns, 'left');
  const percent = percentText(fraction).padStart('100 %'.length);
  const barColumns = Math.max(Math.min(columns - name.length - percent.length - 2, widestBar), 0);
  const done = bar(fraction ?? 0, barColumns);
  const rest = paint.style('dim', '░'.repeat(barColumns - textWidth(done)));
  return `${paint.style('bold', name)} ${paint.style('cyan', done)}${rest} ${percent}`.trimEnd();
}

/** Joins as many of the words, from the first, as a line has room for. */
export function joinFitting(words: readonly string[], columns: number): string {
  const separator = ' · ';
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : line + separator + word;
    if (textWidth(longer) > columns) break;
    line = longer;
  }
  return line;
}
