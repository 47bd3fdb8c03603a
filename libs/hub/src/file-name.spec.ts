import { join, posix, sep, win32 } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainName, shownName, shownNames } from './file-name.js';

it.each([
  'config.json',
  'model-00001-of-00002.safetensors',
  'onnx/model.onnx',
  '.gitattributes',
  '模型.bin',
  'a b',
  '…',
])('%s is a plain name', (name) => {
  expect(isPlainName(name)).toBe(true);
});

it('whatever the name, a plain one stays below its folder', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '.. ', '', 'C:', '\\', '~', 'a', '\0', '\u009b'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), fc.constantFrom('/', '\\', ''), (parts, separator) => {
      const name = parts.join(separator);
      if (!isPlainName(name)) return;
      expect(join(sep, 'models', 'out', name).startsWith(join(sep, 'models', 'out') + sep)).toBe(true);
      // As Windows sees it, where dots and blanks at the end of a part are none.
      for (const part of name.split('/')) expect(part.replace(/[. ]+$/, '')).toBe(part);
      for (const path of [posix, win32]) expect(path.isAbsolute(name)).toBe(false);
      expect(win32.join('C:\\out', name).startsWith('C:\\out\\')).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('shows names without what moves a cursor, and not all of too many', () => {
  expect(shownName('a\u001b[2Jb\u202ec\n\u009b')).toBe(String.raw`a\u{1b}[2Jb\u{202e}c\u{a}\u{9b}`);
  expect(shownName('x'.repeat(300))).toBe(`${'x'.repeat(200)}…`);
  expect(shownNames(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
});
