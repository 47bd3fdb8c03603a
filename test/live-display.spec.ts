import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildChild } from './built-child.js';

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';

describe('the live display', () => {
  let folder: string;
  let script: string;
  beforeAll(async () => {
    // Within the project, where the script finds the packages that it imports.
    folder = await mkdtemp(join(import.meta.dirname, '../node_modules/.live-display-'));
    script = await buildChild('live-display.child.ts', folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['an error', 'error', undefined, 1, null],
    ['an exit', 'exit', undefined, 2, null],
    ['SIGINT', 'signal', 'SIGINT', null, 'SIGINT'],
    ['SIGTERM', 'signal', 'SIGTERM', null, 'SIGTERM'],
    ['SIGHUP', 'signal', 'SIGHUP', null, 'SIGHUP'],
    ['a signal that somebody else hears', 'signal-heard', 'SIGINT', 3, null],
  ] as const)(
    'gives the cursor back after %s, and the process ends as it would',
    async (_, end, signal, code, killedBy) => {
      const child = spawn(process.execPath, [script, end], { stdio: ['ignore', 'pipe', 'pipe'] });
      const closed = once(child, 'close');
      const errors = text(child.stderr);
      if (signal !== undefined) {
        await Promise.race([once(child.stdout, 'data'), closed]);
        child.kill(signal);
      }
      expect(await closed).toEqual([code, killedBy]);
      const shown = await errors;
      expect(shown.indexOf(hideCursor)).toBe(0);
      expect(shown.lastIndexOf(showCursor)).toBeGreaterThan(shown.indexOf('labelling'));
    },
  );
});
