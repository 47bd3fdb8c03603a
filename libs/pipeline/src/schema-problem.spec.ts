import { expect, it } from 'vitest';
import { z } from 'zod';
import { schemaProblem } from './schema-problem.js';

const schema = z.object({ labels: z.array(z.string()), size: z.int().positive() });
const problem = (value: unknown): string => {
  const { error } = schema.safeParse(value);
  return error === undefined ? '' : schemaProblem(error);
};

it('names the places on one line', () => {
  expect(problem({ labels: ['a', 1], size: 0 })).toBe(
    'labels[1]: Invalid input: expected string, received number; size: Too small: expected number to be >0',
  );
  expect(problem(7)).toBe('Invalid input: expected object, received number');
  expect(problem({ labels: [1, 2, 3, 4, 5], size: 1 })).toMatch(/^labels\[0\].*labels\[2\].*; 2 more$/);
});

it('shows what a terminal would obey', () => {
  const { error } = z.record(z.string(), z.number()).safeParse({ 'a\n\u001B[2Jb\u202E': 'x' });
  expect(schemaProblem(error!)).toBe(
    String.raw`a\u{a}\u{1b}[2Jb\u{202e}: Invalid input: expected number, received string`,
  );
});
