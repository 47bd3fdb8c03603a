import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LabelProgress } from '#run/label-progress.js';
import { labelView } from './label-view.js';
import { LiveDisplay } from './live-display.js';
import { plainPaint } from './paint.js';

/** A terminal that knows the few control codes the display uses, so that tests see what a person sees. */
class Terminal extends EventEmitter {
  columns = 60;
  rows = 24;
  writes = 0;
  cursorShown = true;
  #lines: string[] = [''];
  #row = 0;

  write(text: string): void {
    this.writes += 1;
    for (const [token] of text.replaceAll('\x1b', '␛').matchAll(/␛\[\??\d*[A-Za-z]|\r|\n|[^␛\r\n]+/g))
      this.#take(token);
  }

  get screen(): string[] {
    return this.#lines.slice(0, -1);
  }

  #take(token: string): void {
    if (token === '\n') this.#row += 1;
    else if (token === '\r') return;
    else if (token === '␛[K') return;
    else if (token === '␛[J') this.#lines.length = this.#row + 1;
    else if (token === '␛[?25l') this.cursorShown = false;
    else if (token === '␛[?25h') this.cursorShown = true;
    else if (token.endsWith('A')) this.#row -= Number(token.slice(2, -1));
    else this.#lines[this.#row] = token;
    this.#lines[this.#row] ??= '';
  }
}

const progress: LabelProgress = {
  phase: 'labelling',
  fraction: 0.25,
  rows: 250,
  rowsResumed: 0,
  rejected: 0,
  totalRows: 1000,
  totalGuessed: false,
  exits: [{ layer: 2, rows: 250 }],
  layers: 2,
  elapsedMs: 0,
};

describe('LiveDisplay', () => {
  let terminal: Terminal;
  let display: LiveDisplay<LabelProgress>;
  beforeEach(() => {
    vi.useFakeTimers();
    terminal = new Terminal();
    display = new LiveDisplay(terminal, plainPaint, labelView);
  });
  afterEach(() => {
    display.close('finished');
    vi.useRealTimers();
  });

  it('repaints in place, at most ten times a second, and ends with the newest', () => {
    display.update(progress);
    const perPaint = terminal.writes;
    for (let rows = 251; rows <= 300; rows += 1) {
      vi.advanceTimersByTime(10);
      display.update({ ...progress, rows });
    }
    vi.advanceTimersByTime(100);
    expect(terminal.screen[1]).toBe('300 of 1,000 rows');
    expect(terminal.screen).toHaveLength(6);
    expect(terminal.writes).toBeGreaterThan(perPaint);
    expect(terminal.writes).toBeLessThanOrEqual(perPaint + 6);
  });

  it('hides the cursor while it paints and gives it back', () => {
    display.update(progress);
    expect(terminal.cursorShown).toBe(false);
    display.close('finished');
    expect(terminal.cursorShown).toBe(true);
  });

  it('leaves nothing of a finished run and the last picture of a stopped one', () => {
    display.update(progress);
    display.update({ ...progress, rows: 999 });
    display.close('finished');
    expect(terminal.screen).toEqual([]);

    const second = new LiveDisplay(terminal, plainPaint, labelView);
    second.update(progress);
    second.update({ ...progress, rows: 999 });
    second.close('stopped');
    expect(terminal.screen[1]).toBe('999 of 1,000 rows');
  });

  it('writes notes above the picture', () => {
    display.update(progress);
    display.note('first');
    display.note('second');
    expect(terminal.screen.slice(0, 2)).toEqual(['first', 'second']);
    expect(terminal.screen[3]).toBe('250 of 1,000 rows');
    expect(terminal.screen).toHaveLength(8);
  });

  it('repaints when the terminal changes its size', () => {
    display.update(progress);
    terminal.columns = 120;
    terminal.emit('resize');
    expect(terminal.screen[0]).toHaveLength('labelling  100 %'.length + 50);
    expect(terminal.screen).toHaveLength(6);
  });

  it('paints no more lines than the terminal has', () => {
    terminal.rows = 4;
    display.update(progress);
    expect(terminal.screen).toHaveLength(3);
  });

  it('listens to nothing once it is closed', () => {
    const before = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((event) => process.listenerCount(event));
    display.update(progress);
    display.close('stopped');
    display.close('stopped');
    expect(['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((event) => process.listenerCount(event))).toEqual(
      before,
    );
    expect(terminal.listenerCount('resize')).toBe(0);
    const { writes } = terminal;
    vi.advanceTimersByTime(1000);
    expect(terminal.writes).toBe(writes);
  });
});
