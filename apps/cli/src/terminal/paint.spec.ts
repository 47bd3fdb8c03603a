import { expect, it } from 'vitest';
import type { ColourStream } from './paint.js';
import { paintFor } from './paint.js';

const terminal: ColourStream = { isTTY: true, getColorDepth: () => 8 };
const oldTerminal: ColourStream = { isTTY: true, getColorDepth: () => 4 };
const pipe: ColourStream = {};

it.each([
  ['a terminal', terminal, {}, '\x1b[38;5;33mx\x1b[39m'],
  ['an old terminal', oldTerminal, {}, '\x1b[34mx\x1b[39m'],
  ['a pipe', pipe, {}, 'x'],
  ['NO_COLOR', terminal, { NO_COLOR: '1' }, 'x'],
  ['an empty NO_COLOR', terminal, { NO_COLOR: '' }, '\x1b[38;5;33mx\x1b[39m'],
  ['FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, 'x'],
  ['FORCE_COLOR on a pipe', pipe, { FORCE_COLOR: '1' }, '\x1b[34mx\x1b[39m'],
  ['FORCE_COLOR=3 on a pipe', pipe, { FORCE_COLOR: '3' }, '\x1b[38;5;33mx\x1b[39m'],
  ['NO_COLOR and FORCE_COLOR', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, 'x'],
])('colours for %s', (_, stream, env, expected) => {
  expect(paintFor(stream, env).heat(0, 'x')).toBe(expected);
});

it('asks the terminal with the environment, where TERM is', () => {
  const asked: unknown[] = [];
  paintFor({ isTTY: true, getColorDepth: (env) => asked.push(env) }, { TERM: 'dumb' });
  expect(asked).toEqual([{ TERM: 'dumb' }]);
});

it('goes from cool to warm, and stays within the scale', () => {
  const { heat } = paintFor(oldTerminal, {});
  expect([-1, 0, 0.5, 1, 2].map((depth) => heat(depth, 'x'))).toEqual(
    [34, 34, 32, 31, 31].map((code) => `\x1b[${code}mx\x1b[39m`),
  );
});
